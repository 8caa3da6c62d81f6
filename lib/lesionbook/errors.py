"""The one exception that means "you can mend this": its text is a sentence for the person at the keyboard."""


class LesionbookError(Exception):
    """A failure that the user can mend: the message says what is wrong, where, and what to do."""
