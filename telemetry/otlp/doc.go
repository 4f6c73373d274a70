// Package otlp delivers spans to a collector of OpenTelemetry, over gRPC or HTTP.
//
// The OpenTelemetry SDK encodes and sends; spans keep the ids that travel in the headers
// of requests, and their time and place come from weft. Nothing depends on the SDK's
// global providers, and the environment variables OTEL_EXPORTER_OTLP_* and OTEL_RESOURCE_*
// change nothing (but for OTEL_EXPORTER_OTLP_PROTOCOL=http/json, which makes Protocol
// HTTP send JSON).
package otlp
