# syntax=docker/dockerfile:1
# The image holds one static-but-for-libc binary and nothing else: no shell, no package manager, no root.
#
#   docker build -t customer-profile .

FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY . .
# The caches hold what was downloaded and compiled before; the binary is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin customer-profile \
    && install -D target/release/customer-profile /out/usr/local/bin/customer-profile \
    && install -d -o 65532 -g 65532 /out/data

# C library and CA certificates; the tag `nonroot` is user 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="customer-profile" \
      org.opencontainers.image.description="One profile of each customer from what all systems know, over gRPC" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out /
COPY LICENSE NOTICE /usr/share/doc/customer-profile/
# By number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /data
VOLUME ["/data"]
# Inside a container only the outside of it is of use: all addresses, IPv4 and IPv6.
ENV CUSTOMER_PROFILE_GRPC__ADDRESS=[::]:50051 \
    CUSTOMER_PROFILE_OPERATIONS__ADDRESS=[::]:9464 \
    CUSTOMER_PROFILE_LOG__FORMAT=json
EXPOSE 50051 9464
ENTRYPOINT ["/usr/local/bin/customer-profile"]
CMD ["serve"]
