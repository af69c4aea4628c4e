# The ledger as one image; the command says which role a container has: `serve api`, `serve relay`, …

FROM python:3.13-slim AS build
WORKDIR /build
# Every package of the lock is fetched and checked by its hash. The lock also names what tests and
# the embedded servers need; the install below takes only what the service itself asks for.
COPY requirements.lock ./
RUN pip download --no-cache-dir --require-hashes --only-binary :all: \
    --dest /wheels --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY api api
COPY app app
COPY consumers consumers
COPY ledger ledger
COPY projections projections
COPY schemas schemas
RUN python -m venv /opt/ledger \
    && /opt/ledger/bin/pip install --no-cache-dir --no-index --find-links /wheels .

FROM python:3.13-slim
RUN useradd --system --create-home --home-dir /var/lib/ledger ledger \
    && install --directory --mode=0700 --owner=ledger /var/lib/ledger/.ledger
COPY --from=build /opt/ledger /opt/ledger
ENV PATH=/opt/ledger/bin:$PATH PYTHONUNBUFFERED=1 LEDGER_HOST=0.0.0.0 LEDGER_PORT=8080
USER ledger
WORKDIR /var/lib/ledger
EXPOSE 8080
ENTRYPOINT ["ledger"]
CMD ["--help"]
