module github.com/weft-mesh/weft/internal/testtool/jaeger

go 1.26.0

require github.com/jaegertracing/jaeger v1.76.0

