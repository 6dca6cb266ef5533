"""The one kind of error that a user can mend."""


class InputError(Exception):
    """Something the user gave is wrong.

    The message is one line for stderr that says what is wrong, where, and what to do. It never
    holds anything that identifies a patient: name files by their place in the export or by a hash,
    never by DICOM content.
    """
