"""The errors that a user can cause, each with a message that says what, where and what to do."""


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one line and complete by itself."""


class FieldError(InputError):
    """A cortical field is malformed or cannot be read."""


class FieldWarning(UserWarning):
    """A cortical field was read, but something about it is worth knowing; the message is one line."""
