"""``dataclass``, made when its first instance is: a cold start pays only for the records that it uses.

The standard decorator compiles each class's methods when the module is imported. That was 31 of the 69 ms that our own
code added to the import of a function, for some 45 classes of which a request uses a third (``make bench``).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - exported
else:
    import dataclasses
    from threading import RLock

    _making = RLock()

    class _Fields:
        """In place of ``__dataclass_fields__``: whoever looks, as ``dataclasses.fields`` does, has the class made."""

        def __init__(self, make):  # noqa: ANN001, ANN204 - type checkers see the standard decorator
            self._make = make

        def __get__(self, instance, cls):  # noqa: ANN001, ANN204
            self._make()
            return cls.__dataclass_fields__

    def _plain(cls, *_, **__):  # noqa: ANN001, ANN002, ANN003, ANN202
        return object.__new__(cls)

    def dataclass(**options):  # noqa: ANN003, ANN201
        """The standard decorator, all but ``slots``, which would make another class."""

        def defer(cls):  # noqa: ANN001, ANN202
            def make():  # noqa: ANN202
                with _making:
                    if cls.__dict__["__new__"] is first:
                        dataclasses.dataclass(**options)(cls)
                        cls.__new__ = _plain  # CPython forgets the way to object.__new__ where one is deleted

            @staticmethod
            def first(made, *_, **__):  # noqa: ANN001, ANN002, ANN003, ANN202
                make()
                return object.__new__(made)

            cls.__new__ = first
            cls.__dataclass_fields__ = _Fields(make)
            return cls

        return defer
