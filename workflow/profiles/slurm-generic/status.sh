#!/usr/bin/env bash
# The state of a Slurm job in the words of Snakemake's cluster-generic executor: running, success or failed.
set -euo pipefail

if ! state=$(squeue --noheader --states=all --format=%T --jobs="$1" 2>&1); then
  # "failed" is for good: Snakemake would start the job again while it runs. A controller that does not answer says
  # nothing about the job.
  [[ $state == *"Invalid job id"* ]] || { echo running; exit; }
  state=
fi
state=${state%%$'\n'*}
# squeue forgets a finished job after MinJobAge; accounting, where it runs, does not
if [ -z "$state" ]; then
  state=$(sacct --noheader --allocations --format=State --jobs="$1" 2>/dev/null | awk 'NR == 1 {print $1}') || true
  # squeue would know a job that is on its way back into the queue: this one was cancelled (PreemptMode=CANCEL)
  [ "$state" != PREEMPTED ] || state=CANCELLED
fi

case "$state" in
  COMPLETED) echo success ;;
  # PREEMPTED: the job is on its way back into the queue
  PENDING | CONFIGURING | RUNNING | COMPLETING | SUSPENDED | STOPPED | REQUEUED | REQUEUE_* | RESIZING | SIGNALING | \
    STAGE_OUT | PREEMPTED) echo running ;;
  *) echo failed ;;
esac
