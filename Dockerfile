# The app in a container; see docs/install.md to build and run it.
#   BASE_IMAGE       a Debian image with Python 3.11 to 3.14
#   TORCH_BACKEND    the build of torch: cpu, cu130, ...
#   TORCH_INDEX_URL  another package index for torch, such as a mirror of PyTorch's
#   EXTRAS           extras of hlcore, such as cluster or cluster,openvino
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
ARG TORCH_BACKEND=cpu
ARG TORCH_INDEX_URL=
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 UV_NO_CACHE=1 VIRTUAL_ENV=/opt/venv
WORKDIR /app
RUN python3 -m venv /opt/venv
COPY requirements.txt requirements-hashes.txt ./
# All packages are checked against their hashes, except torch and torchvision, whose files depend on the build.
RUN /opt/venv/bin/python3 -m pip install --no-deps --require-hashes -r requirements-hashes.txt
# As in the Makefile: use uv if it can reach PyTorch's index, otherwise pip.
RUN pip="/opt/venv/bin/python3 -m pip install" \
    && uv="/opt/venv/bin/uv pip install --torch-backend=$TORCH_BACKEND -r requirements.txt" \
    && if [ -n "$TORCH_INDEX_URL" ]; then \
        $pip --no-deps --index-url "$TORCH_INDEX_URL" $(grep -E '^torch(vision)?==' requirements.txt) \
            && $pip -r requirements.txt; \
    elif failure=$(UV_HTTP_RETRIES=1 $uv --quiet --dry-run 2>&1 >/dev/null); then \
        $uv; \
    elif [ "${failure#*Failed to fetch}" != "$failure" ]; then \
        echo "uv cannot reach PyTorch's package index; pip installs torch from its own, whichever build that has." \
            && $pip -r requirements.txt; \
    else \
        echo "$failure" >&2; exit 1; \
    fi \
    && /opt/venv/bin/python3 -m pip check \
    && rm -r /opt/venv/lib/python3*/site-packages/torch/include /opt/venv/lib/python3*/site-packages/torch/test
ARG EXTRAS=
# The `hlcore` command points at /app/hlcore, so code changes do not invalidate this stage.
COPY pyproject.toml setup.py README.md LICENSE requirements-dev.txt ./
RUN mkdir hlcore && touch hlcore/__init__.py \
    && /opt/venv/bin/python3 -m pip install --no-deps --no-build-isolation -e . \
    && if [ -n "$EXTRAS" ]; then \
        /opt/venv/bin/python3 -m pip install --no-build-isolation -c requirements-dev.txt -e ".[$EXTRAS]"; \
    fi \
    && /opt/venv/bin/python3 -m pip uninstall --yes uv pip

FROM ${BASE_IMAGE}
# The root file system may be read-only: temporary files go to /tmp, runs to the volume.
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --home-dir /tmp --no-create-home hlcore \
    && install --directory --owner hlcore /app/runs
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY . .
RUN python3 -m compileall -q app hlcore
USER hlcore
VOLUME /app/runs
EXPOSE 8501
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "app/server.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
