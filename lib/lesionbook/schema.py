"""The JSON Schema of study files, by which editors complete and check them."""

import copy
import json
from typing import Any

from lesionbook.params import PROFILES, Study


def json_schema() -> str:
    """JSON Schema of a study file, for editors; a profile may hold any part of a study and needs none."""
    schema = Study.model_json_schema()
    part = copy.deepcopy(schema)
    definitions = part.pop("$defs")
    schema["$defs"] |= {f"Partial{name}": _partial(definition) for name, definition in definitions.items()}
    schema["$defs"]["Profile"] = _partial({**part, "title": "Profile"})
    profile = {"$ref": "#/$defs/Profile"}
    schema["properties"]["profiles"] = {"type": "object", "properties": dict.fromkeys(PROFILES, profile)}
    schema["properties"]["profiles"]["additionalProperties"] = False
    return json.dumps(schema, indent=1) + "\n"


def _partial(schema: Any) -> Any:
    """Drop ``required`` at every level and point to the partial definitions."""
    if isinstance(schema, list):
        return [_partial(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _partial(value) for key, value in schema.items() if key not in ("required", "minProperties")}
    if "$ref" in kept:
        kept["$ref"] = kept["$ref"].replace("#/$defs/", "#/$defs/Partial")
    return kept
