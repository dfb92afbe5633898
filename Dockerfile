# Python, the packages and the published weights; the code and the data are those of the clone that is mounted. For Kubernetes, and for one
# machine:
#
#   docker build --tag auxseg:0.1.0 .
#   docker run --rm --gpus all --ipc host --volume "$PWD:/project" --volume /datasets:/datasets auxseg:0.1.0 dvc repro
#
# with the photographs under the path that params.local.yaml has. `--ipc host`: the processes that load a GPU's batches
# share memory, of which a container has 64 MB by itself.
# CUDA comes with torch's packages; the host needs NVIDIA's driver and container toolkit only.
FROM python:3.12-slim-bookworm

COPY requirements.lock requirements.build.lock workflow/packages.sh workflow/containers/install.sh /build/
RUN /build/install.sh /build

# the published weights, in a layer of their own: the code changes more often than the packages
ENV AUXSEG_WEIGHTS=/opt/auxseg-weights
COPY src/auxseg /build/src/auxseg
RUN PYTHONPATH=/build/src python -m auxseg.published

# where commands start, and where they find the package `auxseg` of the clone
WORKDIR /project
ENV PYTHONPATH=src
# a mounted clone belongs to somebody else than the container's user
RUN git config --system --add safe.directory '*'
CMD ["dvc", "repro"]
