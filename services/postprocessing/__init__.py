"""Makes answers presentable: from judged turns and cleared deltas to responses, deltas and classified reviews."""
