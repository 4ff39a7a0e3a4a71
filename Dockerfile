# Two images from one file: `--target server` (API, worker, migrations) and `--target agent`. Neither runs as root.
# Base images are named by tag; pin them by digest where your registry mirrors them.

FROM golang:1.26-bookworm AS tools
RUN apt-get update && apt-get install --yes --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY tools/ tools/
RUN python3 tools/build.py --need image --into /out --copy

FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY requirements/ requirements/
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements/uv.txt
COPY pyproject.toml README.md LICENSE ./
COPY tools/image.sh tools/image.sh
COPY plane/ plane/
COPY migrations/ migrations/
COPY policies/ policies/

FROM build AS build-server
RUN tools/image.sh server /opt/plane

FROM build AS build-agent
RUN tools/image.sh agent /opt/plane

FROM python:3.13-slim-bookworm AS base
RUN groupadd --gid 65532 plane && useradd --uid 65532 --gid 65532 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin plane \
    && install --directory --owner 65532 --group 65532 --mode 0700 /var/lib/plane /var/lib/plane-agent
ENV PATH=/opt/plane/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
ENTRYPOINT ["plane"]

FROM base AS agent
COPY --from=build-agent /opt/plane /opt/plane
USER 65532:65532
CMD ["agent", "run", "--state-dir", "/var/lib/plane-agent"]

# Last, so that it is also what a build without --target makes.
FROM base AS server
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates git gnupg openssh-client && rm -rf /var/lib/apt/lists/*
COPY --from=tools /out/ /usr/local/bin/
COPY --from=build-server /opt/plane /opt/plane
ENV PLANE_STATE_DIR=/var/lib/plane
USER 65532:65532
EXPOSE 8440
CMD ["server"]
