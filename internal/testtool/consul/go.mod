module github.com/weft-mesh/weft/internal/testtool/consul

go 1.26.0

require github.com/hashicorp/consul v1.20.0

replace (
	github.com/hashicorp/consul/api => github.com/hashicorp/consul/api v1.29.5
	github.com/hashicorp/consul/envoyextensions => github.com/hashicorp/consul/envoyextensions v0.7.4
	github.com/hashicorp/consul/proto-public => github.com/hashicorp/consul/proto-public v0.6.3
	github.com/hashicorp/consul/sdk => github.com/hashicorp/consul/sdk v0.16.1
	github.com/hashicorp/consul/troubleshoot => github.com/hashicorp/consul/troubleshoot v0.7.1
)
