module github.com/weft-mesh/weft/internal/testtool/statsdexporter

go 1.26.0

require github.com/prometheus/statsd_exporter v0.31.0
