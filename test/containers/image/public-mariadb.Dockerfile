# Where Docker Hub can be reached: the base of ./Dockerfile for MariaDB.
FROM mariadb:10.11
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    keepalived iproute2 iptables procps redis-server \
  && rm -rf /var/lib/apt/lists/*
