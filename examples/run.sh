#!/usr/bin/env bash
# Runs examples/mnist_semisup.py with the flags given, in an environment it makes itself.
#
#   examples/run.sh --labels=100 --seed=0
#   KERAS_BACKEND=torch examples/run.sh      JAX, the fastest on CPU, unless you choose
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

export KERAS_BACKEND=${KERAS_BACKEND:-jax}
case "$KERAS_BACKEND" in
    jax | torch) extras="[$KERAS_BACKEND]" ;;
    *) extras="" ;;
esac

venv=${VENV:-$root/.venv}
stamp=$venv/installed$extras
if [ ! "$stamp" -nt "$root/setup.cfg" ] || [ ! "$stamp" -nt "$root/constraints.txt" ]
then
    echo "Installing keras_saae$extras into $venv (minutes)"
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/python" -m pip install -qq -c "$root/constraints.txt" -e "$root$extras"
    touch "$stamp"
fi

exec "$venv/bin/python" "$root/examples/mnist_semisup.py" "$@"
