"""What an operator looks at: every part is asked at once, each in bounded time."""
