#!/bin/bash
# The shards of a plan on this machine, or on several by --sshlogin; as many at a time as JOBS says.
#
#   PLAN=/shared/plan OUT=/shared/out ./gnu-parallel.sh
#   PLAN=s3://bucket/plan OUT=s3://bucket/out JOBS=2 PROCESSES=8 ./gnu-parallel.sh --sshlogin ada,grace
#
# A shard that is to be tried again (75) is tried three times in all. What is done already ends at once.
set -eu

shards=$(ocr-worker shards retry "$PLAN" "$OUT")
[ -n "$shards" ] || { echo "All shards are done."; exit 0; }

# 3,17-19 is a line a number.
tr , '\n' <<<"$shards" | while IFS=- read -r first last; do seq "$first" "${last:-$first}"; done |
    parallel --will-cite --quote --jobs "${JOBS:-1}" --retries 3 --termseq TERM,10000,KILL,25 "$@" \
        env OCR_WORKER_PAGE_PROCESSES="${PROCESSES:-$(nproc)}" ocr-worker shards run "$PLAN" "$OUT" --index {}
