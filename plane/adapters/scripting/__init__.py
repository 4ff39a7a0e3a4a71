"""What users wrote and the plane runs: jq, Lua and CEL, in a child that is bounded in time and memory."""
