#!/bin/sh
# Install the dependencies of extras of pyproject.toml, every file held to the hashes of the lock.
# usage: install.sh EXTRA[,EXTRA…] PYTHON
set -eu
extras=$1
python=$2
lock=infra/locks/all.txt

if [ "${TORCH_BACKEND:-registry}" != registry ]; then
    # Another build of torch has other hashes; everything else stays held to the lock.
    rest=$(mktemp)
    awk '/^[a-zA-Z]/ { keep = !/^(torch|triton|nvidia-|cuda-)/ } keep' "$lock" >"$rest"
    set -- --constraint "$rest" --torch-backend "$TORCH_BACKEND"
else
    set -- --constraint "$lock"
fi
for extra in $(echo "$extras" | tr , ' '); do
    set -- "$@" --extra "$extra"
done
uv pip install --quiet --python "$python" --requirement pyproject.toml "$@"
