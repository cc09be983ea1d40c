#!/bin/bash
# A load test on several nodes: each task does its part of one load, and the results become one.
#
#   sbatch --ntasks=4 deploy/slurm.sh mqtt://broker.example --publishers 10k --rate 100k --duration 1m
#
# SLURM_PROCID and SLURM_NTASKS say which part is whose, and SLURM_JOB_ID makes them one run. Add --clock-error TIME, how
# far the nodes' clocks are apart at most, to see latency from node to node.
#SBATCH --job-name=iotctl-load
#SBATCH --ntasks-per-node=1
#SBATCH --output=iotctl-load-%j.txt
set -euo pipefail

results=${RESULTS:-$PWD/iotctl-load-$SLURM_JOB_ID}
mkdir -p "$results"

# All begin to send at one moment, when every task has had time to connect.
start=$(date -u -d "+${CONNECT_SECONDS:-15} seconds" +%Y-%m-%dT%H:%M:%SZ)

export results start
srun --kill-on-bad-exit=0 bash -c '
  exec iotctl bench mqtt "$@" --start-at "$start" --quiet --output json > "$results/$SLURM_PROCID.json"
' iotctl "$@" || echo "some tasks failed; the results of all that wrote one follow" >&2

iotctl bench merge "$results" > "$results.json"
iotctl bench report "$results.json"
