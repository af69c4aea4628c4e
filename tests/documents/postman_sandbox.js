// What the collection's scripts may use of Postman's sandbox, and nothing else.
const fail = (what, value, wanted) => {
    throw new Error(`${JSON.stringify(value)} ${what} ${JSON.stringify(wanted)}`);
};
const results = [];
const pm = {
    collectionVariables: {
        get: (name) => variables[name],
        set: (name, value) => {
            variables[name] = value;
        },
    },
    variables: { replaceIn: (text) => text.replace("{{$guid}}", guid) },
    response: { code: answer.code, json: () => JSON.parse(answer.text) },
    expect: (value) => ({
        to: {
            equal: (wanted) => value === wanted || fail("is not", value, wanted),
            be: {
                oneOf: (wanted) => wanted.includes(value) || fail("is none of", value, wanted),
            },
        },
    }),
    test: (name, check) => {
        try {
            check();
            results.push([name, null]);
        } catch (error) {
            results.push([name, String(error)]);
        }
    },
};
