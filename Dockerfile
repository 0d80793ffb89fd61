# docker build -t terrasift .                              for CPUs
# docker build -t terrasift:cuda --build-arg TORCH=cuda .  for NVIDIA GPUs
# docs/install.md has the lines to run it.
ARG PYTHON=3.11

FROM node:22-slim AS page
WORKDIR /source/page
COPY page/package.json page/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY page/ ./
RUN npm run build

FROM python:${PYTHON}-slim AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src/ src/
COPY --from=page /source/src/terrasift/viewer/static/ src/terrasift/viewer/static/
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:${PYTHON}-slim
ARG TORCH=cpu
# rasterio's wheel brings its own GDAL, but not expat. Debian keeps no old versions to pin.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libexpat1 \
    && rm -rf /var/lib/apt/lists/*
COPY constraints.txt /tmp/constraints.txt
# PyPI's PyTorch for Linux is built for CUDA, and ten times as large. constraints.txt pins it.
# hadolint ignore=DL3013
RUN if [ "$TORCH" = cpu ]; then set -- --index-url https://download.pytorch.org/whl/cpu; fi \
    && pip install --no-cache-dir "$@" "$(grep ^torch== /tmp/constraints.txt)"
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir -c /tmp/constraints.txt "$(echo /wheels/*.whl)[dask,export,pandas,stac,vector,viewer,xarray]" \
    && pip check

# Whoever runs it (`--user`), the name is known and there is a place for caches.
RUN useradd --uid 1000 --create-home terrasift
ENV USER=terrasift HOME=/tmp XDG_CACHE_HOME=/data/.cache PYTHONUNBUFFERED=1
USER 1000
WORKDIR /data
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["terrasift"]
CMD ["--help"]
