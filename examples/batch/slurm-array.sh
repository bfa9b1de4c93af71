#!/bin/bash
# One shard a task. Exit code 75 (try again) requeues the task; anything else is left as it is.
#
#   sbatch --array=0-199%50 --export=ALL,PLAN=/shared/plan,OUT=/shared/out slurm-array.sh
#   sbatch --array="$(ocr-worker shards retry /shared/plan /shared/out)" … slurm-array.sh     # what is left
#
# More shards than the cluster's MaxArraySize: several arrays, with OFFSET=1000, OFFSET=2000 …
#SBATCH --job-name=ocr-shards
#SBATCH --cpus-per-task=4
#SBATCH --mem=6G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=ocr-shard-%A-%a.log
# Before the time limit, or a preemption, ends the task: the shard puts what is finished and says 75.
#SBATCH --signal=B:TERM@60
set -u

export OCR_WORKER_PAGE_PROCESSES=${SLURM_CPUS_PER_TASK:-1}
export TMPDIR=${SLURM_TMPDIR:-${TMPDIR:-/tmp}}
ocr-worker shards run "$PLAN" "$OUT" --offset "${OFFSET:-0}" &
shard=$!
# The signal goes to this shell, which hands it on.
trap 'kill -TERM $shard' TERM
wait $shard
code=$?
# A trapped signal ends the first wait.
while kill -0 $shard 2>/dev/null; do wait $shard; code=$?; done

if [ $code -eq 75 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 5 ]; then
    trap - TERM
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
    sleep 60
fi
exit $code
