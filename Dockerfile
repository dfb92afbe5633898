# Python, the packages and the published weights, for Kubernetes or a single machine. Code and data come from the clone
# that is mounted:
#
#   docker build --tag auxseg:0.1.0 .
#   docker run --rm --gpus all --ipc host --volume "$PWD:/project" --volume /datasets:/datasets auxseg:0.1.0 dvc repro
#
# The images must be under the path in params.local.yaml. `--ipc host` is for the processes that load a GPU's batches:
# they share memory, of which a container has only 64 MB by default.
# CUDA comes with torch's packages; the host needs only NVIDIA's driver and container toolkit.
FROM python:3.12-slim-bookworm

COPY requirements.lock requirements.build.lock workflow/packages.sh workflow/containers/install.sh /build/
RUN /build/install.sh /build

# the published weights, in a separate layer, because the code changes more often than the packages
ENV AUXSEG_WEIGHTS=/opt/auxseg-weights
COPY src/auxseg /build/src/auxseg
RUN PYTHONPATH=/build/src python -m auxseg.published

# commands start in the clone and import its package `auxseg`
WORKDIR /project
ENV PYTHONPATH=src
# the container's user does not own the mounted clone
RUN git config --system --add safe.directory '*'
CMD ["dvc", "repro"]
