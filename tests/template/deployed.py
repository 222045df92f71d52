"""A translated template as a stack of some parameters has it: conditions decided, what they leave out left out."""

from collections.abc import Mapping
from typing import Any

NO_VALUE = {"Ref": "AWS::NoValue"}


class Deployed:
    """The template of a stack that was deployed with these parameters, the defaults for the rest."""

    def __init__(self, document: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        unknown = set(parameters) - set(document["Parameters"])
        assert not unknown, unknown
        self._conditions: Mapping[str, Any] = document["Conditions"]
        self._parameters = {
            name: parameters.get(name, parameter.get("Default")) for name, parameter in document["Parameters"].items()
        }
        self.document = {
            **document,
            "Resources": self._kept(document["Resources"]),
            "Outputs": self._kept(document["Outputs"]),
        }

    def _kept(self, named: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self._decided({key: value for key, value in each.items() if key != "Condition"})
            for name, each in named.items()
            if "Condition" not in each or self._holds({"Condition": each["Condition"]})
        }

    def _decided(self, value: Any) -> Any:
        match value:
            case {"Fn::If": [str(name), yes, no]}:
                return self._decided(yes if self._holds({"Condition": name}) else no)
            case dict():
                decided = {key: self._decided(each) for key, each in value.items()}
                return {key: each for key, each in decided.items() if each != NO_VALUE}
            case list():
                return [each for each in map(self._decided, value) if each != NO_VALUE]
            case _:
                return value

    def _holds(self, condition: Mapping[str, Any]) -> bool:
        match condition:
            case {"Condition": str(name)}:
                return self._holds(self._conditions[name])
            case {"Fn::Equals": [one, other]}:
                return str(self._value(one)) == str(self._value(other))
            case {"Fn::Not": [one]}:
                return not self._holds(one)
            case {"Fn::Or": list(some)}:
                return any(map(self._holds, some))
            case {"Fn::And": list(all_of_them)}:
                return all(map(self._holds, all_of_them))
            case _:
                raise AssertionError(condition)

    def _value(self, value: Any) -> Any:
        return self._parameters[value["Ref"]] if isinstance(value, dict) else value
