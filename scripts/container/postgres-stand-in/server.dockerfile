# Stands for docker.io/library/postgres where that cannot be pulled: Debian's own server behind the same variables.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
RUN apt-get -qq update \
    && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends postgresql \
    && rm -rf /var/lib/apt/lists/*
COPY --chmod=755 entrypoint.sh /entrypoint.sh
# A fast shutdown, as the image that it stands for has it.
STOPSIGNAL SIGINT
ENTRYPOINT ["/entrypoint.sh"]
