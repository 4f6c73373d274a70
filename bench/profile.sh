#!/usr/bin/env bash
# Makes cmd/weft/default.pgo: CPU profiles of a full mesh hop under HTTP/1.1 (small and 10 KB bodies, cleartext and TLS)
# and HTTP/2 load, merged. `go build ./cmd/weft` uses the file by itself. Needs wrk, h2load, nghttpd, curl, openssl, go.
set -euo pipefail
cd "$(dirname "$0")/.."
secs=${SECS:-8}
tmp=$(mktemp -d) pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$tmp"' EXIT
go build -o "$tmp/weft" ./cmd/weft
(cd bench && go build -o "$tmp/upstream" ./program/upstream)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=hello -addext subjectAltName=DNS:hello \
  -keyout "$tmp/key.pem" -out "$tmp/cert.pem" 2>/dev/null
mkdir "$tmp/disco" "$tmp/docs"
echo '127.0.0.1 17101' >"$tmp/disco/hello"
echo '127.0.0.1 17102' >"$tmp/disco/127.0.0.1:17112"
printf 'Hello world!' >"$tmp/docs/small"
cat >"$tmp/weft.yaml" <<Y
admin: {ip: 127.0.0.1, port: 17190}
namers: [{kind: io.l5d.fs, rootDir: $tmp/disco}]
telemetry: [{kind: io.l5d.prometheus}, {kind: io.l5d.recentRequests, sampleRate: 0.001}]
routers:
- protocol: http
  label: h1
  dtab: /svc => /#/io.l5d.fs
  client: {loadBalancer: {kind: ewma}, failureAccrual: {kind: io.l5d.consecutiveFailures, failures: 5}}
  service: {responseClassifier: {kind: io.l5d.http.retryableRead5XX}, retries: {budget: {minRetriesPerSec: 10, percentCanRetry: 0.2, ttlSecs: 10}}}
  servers: [{ip: 127.0.0.1, port: 17111}, {ip: 127.0.0.1, port: 17113, tls: {certPath: $tmp/cert.pem, keyPath: $tmp/key.pem}}]
- protocol: h2
  label: h2
  dtab: /svc => /#/io.l5d.fs
  client: {loadBalancer: {kind: ewma}, failureAccrual: {kind: io.l5d.consecutiveFailures, failures: 5}}
  service: {responseClassifier: {kind: io.l5d.h2.retryableRead5XX}, retries: {budget: {minRetriesPerSec: 10, percentCanRetry: 0.2, ttlSecs: 10}}}
  servers: [{ip: 127.0.0.1, port: 17112}]
Y
"$tmp/upstream" 127.0.0.1:17101 & pids+=($!)
nghttpd --no-tls -d "$tmp/docs" -a 127.0.0.1 17102 >/dev/null 2>&1 & pids+=($!)
"$tmp/weft" run "$tmp/weft.yaml" >"$tmp/log" 2>&1 & pids+=($!)
for _ in $(seq 100); do curl -fsS -o /dev/null -H 'Host: hello' http://127.0.0.1:17111/ 2>/dev/null && break; sleep 0.1; done
profile() { # name, then the load
  local name=$1; shift
  "$@" >"$tmp/$name.txt" 2>&1 & local load=$!
  sleep 1
  curl -fsS -o "$tmp/$name.pprof" "http://127.0.0.1:17190/admin/pprof/profile?seconds=$secs"
  wait $load
  grep -iE 'requests in|requests:|non-2xx|status codes' "$tmp/$name.txt" | sed "s/^/$name: /"
}
d=$((secs + 2))
profile h1 wrk -t1 -c32 -d$d -H 'Host: hello' http://127.0.0.1:17111/
profile h1big wrk -t1 -c32 -d$d -H 'Host: hello' http://127.0.0.1:17111/10240
profile h1tls wrk -t1 -c32 -d$d -H 'Host: hello' https://127.0.0.1:17113/
profile h2 h2load -D$d -c8 -m16 -t1 http://127.0.0.1:17112/small
go tool pprof -proto -output cmd/weft/default.pgo "$tmp"/h1.pprof "$tmp"/h1big.pprof "$tmp"/h1tls.pprof "$tmp"/h2.pprof
ls -l cmd/weft/default.pgo
