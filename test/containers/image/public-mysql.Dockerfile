# Where Docker Hub can be reached: the base of ./Dockerfile for MySQL.
FROM mysql:9
RUN microdnf install -y keepalived iproute iptables-nft procps-ng util-linux && microdnf clean all
