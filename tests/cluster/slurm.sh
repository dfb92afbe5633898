#!/usr/bin/env bash
# A real Slurm on this one machine, for tests: munge, slurmctld and two slurmd, started by hand.
#
#   slurm.sh check      exit 0 if this machine can have it, else say in one line why not
#   slurm.sh install    Debian's packages (apt-get)
#   slurm.sh start      write /etc/slurm, start the daemons, wait until both nodes are idle
#   slurm.sh stop       end jobs and daemons, remove what was written
#
# It has a munge, ports and folders of its own, and leaves a Slurm of the site alone: it does not start if one is running.
# The two nodes are two slurmd on one host. What they have to offer (CPUs, memory, GPUs) is made up, so that a stage
# gets what dvc.yaml asks for; nothing confines a job to it. There is no slurmdbd: states of jobs come from squeue.
set -euo pipefail

# not elsewhere by SLURM_CONF: Snakemake's plugin takes the variables SLURM_* away before it calls srun
CONFIG=/etc/slurm
STATE=/var/lib/auxseg-slurm
OURS="# by tests/cluster/slurm.sh of auxseg"
PACKAGES=(munge slurmctld slurmd slurm-client)
NODES=(node1 node2)

check() {
  local reason=
  if [ "$(uname -s)" != Linux ] || [ ! -e /etc/debian_version ]; then
    reason="no Debian, so no packages of Slurm"
  elif [ "$(id -u)" != 0 ]; then
    reason="not root, so Slurm cannot be installed or started"
  elif [ -e $CONFIG/slurm.conf ] && ! grep -qxF "$OURS" $CONFIG/slurm.conf; then
    reason="$CONFIG/slurm.conf is of another Slurm"
  fi
  [ -z "$reason" ] || { echo "$reason"; return 1; }
}

install() {
  local missing=()
  for package in "${PACKAGES[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing+=("$package")
  done
  [ ${#missing[@]} != 0 ] || return 0
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  apt-get install --yes --no-install-recommends "${missing[@]}"
}

configure() {
  mkdir -p $CONFIG $STATE/{munge,controller,log}
  chmod 755 $STATE
  mungekey --create --force --keyfile $STATE/munge/key
  cat >$CONFIG/slurm.conf <<END
$OURS
ClusterName=auxseg
SlurmctldHost=localhost
SlurmUser=root
SlurmctldPort=16817
AuthInfo=socket=$STATE/munge/socket
StateSaveLocation=$STATE/controller
SlurmdSpoolDir=$STATE/%n
SlurmctldPidFile=$STATE/slurmctld.pid
SlurmdPidFile=$STATE/slurmd-%n.pid
SlurmctldLogFile=$STATE/log/slurmctld.log
SlurmdLogFile=$STATE/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# the nodes offer more than the machine has
SlurmdParameters=config_overrides
GresTypes=gpu
# for so many seconds squeue still knows a finished job: for the whole of a test on a busy machine
MinJobAge=86400
NodeName=node1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=16818 CPUs=4 RealMemory=64000 Gres=gpu:2
NodeName=node2 NodeHostname=localhost NodeAddr=127.0.0.1 Port=16819 CPUs=4 RealMemory=64000 Gres=gpu:2
PartitionName=all Nodes=node[1-2] Default=YES MaxTime=INFINITE State=UP
END
  # two devices that exist everywhere stand in for GPUs: CUDA_VISIBLE_DEVICES is set, and no CUDA is found
  printf '%s\n' "$OURS" "Name=gpu File=/dev/null,/dev/zero" >$CONFIG/gres.conf
}

idle() {
  [ "$(sinfo --noheader --Node --states=idle,mixed,allocated 2>/dev/null | wc -l)" = ${#NODES[@]} ]
}

start() {
  check >&2
  [ -e $CONFIG/slurm.conf ] && idle && return
  configure
  # daemons keep the standard streams they get: a process that reads ours would wait for them
  {
    munged --socket=$STATE/munge/socket --key-file=$STATE/munge/key --pid-file=$STATE/munge/pid \
      --log-file=$STATE/log/munged.log --seed-file=$STATE/munge/seed
    slurmctld -c
    for node in "${NODES[@]}"; do slurmd -N "$node"; done
  } </dev/null >$STATE/log/start.log 2>&1
  for _ in $(seq 100); do
    idle && return
    sleep 0.2
  done
  echo "Slurm did not start; the end of its logs:" >&2
  tail -n 20 $STATE/log/*.log >&2
  exit 1
}

stop() {
  grep -qsxF "$OURS" $CONFIG/slurm.conf || return 0
  scancel --full --signal=KILL --state=RUNNING 2>/dev/null || true
  local file process
  for file in $STATE/slurmd-*.pid $STATE/slurmctld.pid $STATE/munge/pid; do
    [ -e "$file" ] || continue
    process=$(cat "$file")
    kill "$process" 2>/dev/null || continue
    for _ in $(seq 100); do kill -0 "$process" 2>/dev/null && [ -e "$file" ] || break; sleep 0.1; done
  done
  rm -rf $STATE $CONFIG/slurm.conf $CONFIG/gres.conf
}

case "${1:-}" in
  check | install | start | stop) "$1" ;;
  *) sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
