# docker build -t aifd .
# docker run --rm -p 8000:8000 -v "$PWD/.env:/var/lib/aifd/.env:ro" aifd

FROM debian:bookworm AS build
WORKDIR /src
COPY scripts/install-deps scripts/tools.sh scripts/
RUN scripts/install-deps build
COPY . .
RUN cmake --preset release -DAIFD_TESTS=OFF \
 && cmake --build build/release --target aifd -j "$(scripts/jobs)" \
 && cmake --install build/release --prefix /usr/local --strip

FROM debian:bookworm-slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates tzdata libfmt9 libhiredis0.14 libjemalloc2 libleveldb1d liblmdb0 libre2-9 \
      libsimdjson14 libspdlog1.10 libssl3 libyaml-cpp0.7 libzstd1 zlib1g \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 65532 -g 65532 /var/lib/aifd /var/lib/aifd/Log /var/lib/aifd/FLAXKV_DB
COPY --from=build /usr/local/bin/aifd /usr/local/bin/aifd
# A library that is missing from the list above stops the build here, not the container later.
RUN ["aifd", "--version"]

ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="aifd" \
      org.opencontainers.image.description="Forwarding daemon for LLM APIs" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE"

# .env and openai-forward-config.yaml are looked for here, Log/ and FLAXKV_DB/ are written here.
WORKDIR /var/lib/aifd
USER 65532:65532
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s --retries=3 CMD ["aifd", "health"]
ENTRYPOINT ["aifd"]
CMD ["run"]
