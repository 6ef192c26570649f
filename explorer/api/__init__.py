"""Result objects -> JSON: declarations beside handlers, from which routes and the OpenAPI document are made."""
