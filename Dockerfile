# The app in a container; docs/install.md says how to build and run it.
#   BASE_IMAGE       a Debian with Python 3.11 to 3.14
#   TORCH_INDEX_URL  where torch comes from; given PyTorch's CPU address, the image is several GB smaller
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
ARG TORCH_INDEX_URL=
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python3 -m venv /opt/venv
COPY requirements.txt ./
RUN if [ -n "$TORCH_INDEX_URL" ]; then \
        /opt/venv/bin/python3 -m pip install --no-deps --index-url "$TORCH_INDEX_URL" \
            $(grep -E '^torch(vision)?==' requirements.txt); \
    fi \
    && /opt/venv/bin/python3 -m pip install -r requirements.txt \
    && rm -r /opt/venv/lib/python3*/site-packages/torch/include /opt/venv/lib/python3*/site-packages/torch/test
# The `hlcore` command points at /app/hlcore, so a change of the code leaves this stage as it is.
COPY pyproject.toml ./
RUN mkdir hlcore && touch hlcore/__init__.py \
    && /opt/venv/bin/python3 -m pip install --no-deps --no-build-isolation -e . \
    && /opt/venv/bin/python3 -m pip uninstall --yes pip

FROM ${BASE_IMAGE}
# The root file system may be read-only: what wants to write finds /tmp, and runs go to the volume.
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
CMD ["streamlit", "run", "app/main.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
