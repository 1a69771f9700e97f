#!/usr/bin/env bash
# Runs the tests on TensorFlow, JAX and PyTorch, in an environment it makes itself.
#
#   tests/all_backends.sh                   everything, as CI does
#   tests/all_backends.sh -m "not slow"     arguments go to pytest
#   BACKENDS=jax tests/all_backends.sh      one backend
#   WORKERS=1 tests/all_backends.sh         tests one after another; by default as many
#                                           side by side as there are cores, at most 4
#   VENV=/tmp/venv PYTHON=python3.12 tests/all_backends.sh
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p "${VENV:-.venv}"
venv=$(cd "${VENV:-.venv}" && pwd)
stamp=$venv/installed-tests
if [ ! "$stamp" -nt setup.cfg ] || [ ! "$stamp" -nt constraints.txt ]; then
    echo "Installing keras_saae, its backends and test tools into $venv (minutes)"
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/python" -m pip install -qq -c constraints.txt \
        -e ".[jax,torch,test,notebooks]"
    touch "$stamp"
fi

# No settings from a home directory, and no caches into it.
export HOME=$venv/home MPLBACKEND=Agg TF_CPP_MIN_LOG_LEVEL=2
mkdir -p "$HOME"
unset XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME

log=$(mktemp)
trap 'rm -f "$log"' EXIT
closing=()
failed=0

run_pytest() {  # run_pytest <title> <backend> <arguments of pytest>...
    local title=$1 backend=$2
    shift 2
    echo "== $title"
    KERAS_BACKEND=$backend "$venv/bin/python" -m pytest -q "$@" </dev/null 2>&1 |
        tee "$log" || failed=1
    closing+=("== $title" "$(grep -E '^(FAILED|ERROR) ' "$log" | cut -c 1-200 || true)" \
        "$(grep -E '(passed|failed|error|no tests ran).* in [0-9]' "$log" | tail -n 1 || true)")
}

# A file's tests share fixtures, so they stay together; a worker has one core. Files go in
# their order: the long runs of examples do not come last, on a worker alone.
workers=(-n "${WORKERS:-auto}" --maxprocesses 4 --dist loadfile --no-loadscope-reorder)
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

# What JAX compiles for one test serves the next that builds the same tiny model.
export JAX_COMPILATION_CACHE_DIR=${JAX_COMPILATION_CACHE_DIR:-$venv/jax-cache}
export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0
export JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1

for backend in ${BACKENDS:-tensorflow jax torch}; do
    run_pytest "$backend" "$backend" "${workers[@]}" "$@"
    if [ "$backend" = tensorflow ] && [ $# = 0 ]; then
        KERAS_SAAE_DATASET=digits run_pytest "notebooks" "$backend" \
            "${workers[@]}" --nbmake notebooks
    fi
done

echo
printf '%s\n' "${closing[@]}" | grep -v '^$'
exit $failed
