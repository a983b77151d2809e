"""Answers of status 4xx and 5xx."""

from pydantic import JsonValue

from .base import WireModel


class ErrorItem(WireModel):
    """One complaint of a 422."""

    type: str
    loc: tuple[str | int, ...]
    msg: str
    input: JsonValue = None


class ErrorAnswer(WireModel):
    """``{"detail": …}``: a sentence, or at 422 a list of complaints."""

    detail: str | tuple[ErrorItem, ...]

    def sentence(self) -> str:
        """The whole complaint as one line for a person."""
        if isinstance(self.detail, str):
            return self.detail
        return "; ".join(f"{'.'.join(str(part) for part in item.loc)}: {item.msg}" for item in self.detail)
