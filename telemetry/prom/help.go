package prom

import "strings"

// helpText is the help of the metrics whose name, element by element, matches a pattern: *
// is any element, ** any number of them, and a|b either of two.
type helpText struct{ pattern, text string }

// helpTexts are tried in their order. Names are those of metrics, so without what has
// become a label.
//
//nolint:gochecknoglobals // a table
var helpTexts = [...]helpText{
	{"rt server requests", "Requests that were answered, or given up."},
	{"rt server success", "Requests whose response was classified as a success."},
	{"rt service requests", "Requests to a logical name. However often it was retried, a request counts once."},
	{"rt service success", "Requests to a logical name whose last response was classified as a success."},
	{"rt client requests", "Attempts at a bound name: requests, their retries and requeues."},
	{"rt client success", "Attempts whose response was classified as a success."},
	{"rt client service requests", "Attempts at a bound name, by the logical name that led to it."},
	{"rt client service success", "Attempts whose response was classified as a success, by logical name."},
	{"rt unbound requests", "Requests to logical names that never had an address, or none that is known yet."},
	{"rt unbound success", "Requests to unbound names that succeeded."},
	{"rt * failures", "Failed exchanges: all without the label exception; by name, and by the names of causes, with it."},
	{"rt client service failures", "Failed attempts at a bound name, by logical name."},
	{"rt client service failures **", "Failed attempts that failed like this, by logical name."},
	{"rt unbound failures **", "Failed requests to unbound names that failed like this."},
	{"rt * sourcedfailures **", "Failed exchanges by what they failed in."},
	{"rt * exceptions", "Exceptions on connections, by name."},
	{"rt * exn", "Exceptions on connections."},

	{"rt server request_latency_ms", "Time from a request to the end of its response, in milliseconds."},
	{"rt service request_latency_ms", "Time that a logical name took to answer, retries included, in milliseconds."},
	{"rt client request_latency_ms", "Time that attempts at a bound name took, in milliseconds."},
	{"rt client service request_latency_ms", "Time that attempts at a bound name took, by logical name, in milliseconds."},
	{"rt unbound request_latency_ms", "Time that requests to unbound names took, in milliseconds."},
	{"rt server|service|client|unbound pending", "Requests that are under way."},
	{"rt client service pending", "Attempts that are under way, by logical name."},
	{"rt server load", "Requests that are under way: the name of pending in older versions."},

	{"rt server|client status 1XX|2XX|3XX|4XX|5XX", "Responses by the class of their status."},
	{"rt server|client status error", "Requests that ended without a response."},
	{"rt server|client status *", "Responses with this status."},
	{"rt server|client time error", "Time until a request ended without a response, in milliseconds."},
	{"rt server|client time *", "Time until responses with a status of this class, in milliseconds."},

	{"rt server connects", "Connections that were accepted."},
	{"rt client connects", "Connections that were opened."},
	{"rt server|client closes", "Connections that were closed."},
	{"rt server|client connections", "Connections that are open."},
	{"rt server idle", "Connections that were closed since they were idle for too long."},
	{"rt server lifetime", "Connections that were closed since they were open for too long."},
	{"rt server|client received_bytes", "Bytes that were received on connections."},
	{"rt server|client sent_bytes", "Bytes that were sent on connections."},
	{"rt server|client connection_duration", "How long connections were open, one value for each that was closed, in milliseconds."},
	{"rt server|client connection_received_bytes", "Bytes that were received on a connection, one value for each that was closed."},
	{"rt server|client connection_sent_bytes", "Bytes that were sent on a connection, one value for each that was closed."},
	{"rt server|client connection_requests", "Requests on a connection, one value for each that was closed."},
	{"rt server|client socket_writable_ms", "Milliseconds for which sockets could be written to."},
	{"rt server|client socket_unwritable_ms", "Milliseconds for which sockets could not be written to."},
	{"rt server|client tcp_retransmits", "TCP segments that were sent again."},
	{"rt server|client tcp_send_window_size", "Size of TCP's send window, in bytes."},
	{"rt server|client read_timeout", "Reads that took too long."},
	{"rt server|client write_timeout", "Writes that took too long."},
	{"rt server|client tls connections", "TLS connections that are open."},
	{"rt server|client tls handshake_latency_ms", "Time that TLS handshakes took, in milliseconds."},
	{"rt server|client tls **", "About TLS on connections."},
	{"rt client connect_latency_ms", "Time that it took to open a connection, in milliseconds."},
	{"rt client failed_connect_latency_ms", "Time until a connection could not be opened, in milliseconds."},
	{"rt client cancelled_connects", "Connections that were not wanted any more before they were open."},
	{"rt client service_creation service_acquisition_latency_ms", "Time until an attempt had a connection, in milliseconds."},
	{"rt client service_creation failures **", "Attempts that got no connection."},
	{"rt client pool_cached", "Connections that are idle in the pool."},
	{"rt client pool_size", "Connections of the pool that are in use."},
	{"rt client pool_waiters", "Attempts that wait for a connection."},
	{"rt client pool_num_waited", "Attempts that had to wait for a connection."},
	{"rt client pool_num_too_many_waiters", "Attempts that were refused since too many waited."},
	{"rt client dispatcher serial queue_size", "Requests that wait for the connection they are to be sent on."},
	{"rt client available", "1 if the client can take requests, 0 if not."},
	{"rt server handletime_us", "Time from a request until its handler returned, in microseconds."},
	{"rt server transit_latency_ms", "Time that requests took from the sender, by its clock, in milliseconds."},
	{"rt server dtab size", "Entries of the dtab that a request had with it."},
	{"rt server|client request_payload_bytes", "Size of request bodies, in bytes."},
	{"rt server|client response_payload_bytes", "Size of response bodies, in bytes."},

	{"rt service retries total", "Retries of requests to a logical name."},
	{"rt service retries per_request", "Retries that a request took."},
	{"rt service|client retries budget", "What the budget allows at the moment: of retries for a service, of requeues for a client."},
	{"rt service|client retries budget_exhausted", "Retries, or requeues of a client, that the budget did not allow."},
	{"rt service retries backoffs_exhausted", "Requests that had been retried as often as there are backoffs."},
	{"rt service retries out_of_time", "Retries that the deadline left no time for."},
	{"rt service retries request_stream_too_long", "Requests that could not be retried since too much of them had been sent."},
	{"rt service retries response_stream_too_long", "Responses that were passed on unclassified since they were too long."},
	{"rt service retries classification_timeout", "Responses that were passed on unclassified since they took too long."},
	{"rt service retries *", "About retries of requests to a logical name."},
	{"rt client retries requeues", "Attempts that were made again since nothing had been sent."},
	{"rt client retries requeues_per_request", "Requeues that a request took."},
	{"rt client retries request_limit", "Requests that had been requeued as often as is allowed."},
	{"rt client retries not_open", "Requeues that were not made since the client could not take requests."},
	{"rt client retries cannot_retry", "Failed attempts that could not be made again since something had been sent."},
	{"rt client retries *", "About requeues."},
	{"rt unbound retries **", "About retries of requests to unbound names."},

	{"rt client loadbalancer size", "Endpoints that there are."},
	{"rt client loadbalancer available", "Endpoints that can take requests."},
	{"rt client loadbalancer busy", "Endpoints that cannot take requests for now."},
	{"rt client loadbalancer closed", "Endpoints that take no more requests."},
	{"rt client loadbalancer load", "Load of all endpoints, in the measure of the balancer."},
	{"rt client loadbalancer meanweight", "Mean weight of the endpoints."},
	{"rt client loadbalancer num_weight_classes", "Groups of endpoints with the same weight."},
	{"rt client loadbalancer adds", "Endpoints that were added."},
	{"rt client loadbalancer removes", "Endpoints that were removed."},
	{"rt client loadbalancer updates", "Changes of the set of endpoints."},
	{"rt client loadbalancer rebuilds", "Times that the balancer was built anew."},
	{"rt client loadbalancer panicked", "Picks of any endpoint since too few could take requests."},
	{"rt client loadbalancer max_effort_exhausted", "Picks that found no endpoint that can take requests."},
	{"rt client loadbalancer busy_weight_classes", "Picks that passed over a group of endpoints since too few of it could take requests."},
	{"rt client loadbalancer algorithm *", "1 for the balancer that is used."},
	{"rt client loadbalancer **", "About the balancer of a client."},
	{"rt client failfast marked_dead", "Times that fail-fast took a client out."},
	{"rt client failfast marked_available", "Times that fail-fast took a client in again."},
	{"rt client failfast **", "About fail-fast."},
	{"rt client failure_accrual removals", "Endpoints that were taken out after failures."},
	{"rt client failure_accrual revivals", "Endpoints that were taken in again."},
	{"rt client failure_accrual probes", "Requests that tried whether an endpoint can be taken in again."},
	{"rt client failure_accrual removed_for_ms", "Milliseconds for which endpoints were out after failures."},
	{"rt client failure_accrual **", "About endpoints that are out after failures."},

	{"rt server|client open_streams", "HTTP/2 streams that are open."},
	{"rt server|client stream local data bytes", "Size of DATA frames that were sent, in bytes."},
	{"rt server|client stream local data frames", "DATA frames that were sent."},
	{"rt server|client stream local trailers", "Trailers that were sent."},
	{"rt server|client stream local reset **", "Streams that were reset from here."},
	{"rt server|client stream remote data bytes", "Size of DATA frames that were received, in bytes."},
	{"rt server|client stream remote data frames", "DATA frames that were received."},
	{"rt server|client stream remote trailers", "Trailers that were received."},
	{"rt server|client stream remote reset **", "Streams that were reset from there."},
	{"rt server|client stream total_latency_ms", "Time from the begin of a stream to the end of both its directions, in milliseconds."},
	{"rt server|client request|response stream stream_duration_ms", "How long one direction of a stream took, in milliseconds."},
	{"rt server|client request|response stream data_bytes", "Bytes of one direction of a stream."},
	{"rt server|client request|response stream stream_success", "Directions of streams that ended in order."},
	{"rt server|client request|response stream stream_failures **", "Directions of streams that were cut off."},
	{"rt server|client stream data_bytes", "Bytes of a stream, both directions."},
	{"rt server|client stream stream_success", "Streams that ended in order."},
	{"rt server|client stream stream_failures **", "Streams that were cut off."},
	{"rt server|client failure_detector ping", "Pings that were sent to see whether the peer lives."},
	{"rt server|client failure_detector close", "Connections that were closed since the peer did not answer a ping."},
	{"rt server|client failure_detector ping_latency_us", "Time until a ping was answered, in microseconds."},

	{"rt bindcache * misses", "Look-ups that did not find what they wanted in the cache."},
	{"rt bindcache * evicts", "Entries that were removed since the cache was full."},
	{"rt bindcache * expires", "Entries that were removed since nobody asked for them."},
	{"rt bindcache * oneshots", "Entries that were used once since the cache was full."},
	{"rt originator", "1 if the router is the first hop of requests."},

	{"rt interpreter ** watches", "Names that the interpreter watches."},
	{"rt interpreter ** stale", "Names whose last answer is kept since there is no newer one."},
	{"rt interpreter **", "About the interpreter of a router, which binds names."},
	{"rt identifier **", "About the identifier of a router, which names requests."},
	{"namer watches", "Names that are watched."},
	{"namer * watches", "Names that a namer watches."},
	{"namer * pending", "Names about which a namer does not know anything yet."},
	{"namer * stale", "Names whose last answer is kept since there is no newer one."},
	{"namer * failed", "Names that cannot be looked up at the moment."},
	{"namer * updates", "Changes that a namer was told of."},
	{"namer * failures", "Look-ups that failed."},
	{"namer * failing_for_s", "Seconds for which all look-ups have failed."},
	{"namer **", "About a namer, which looks up addresses."},
	{"storage **", "About the store of dtabs."},
	{"dtabstore **", "About the store of dtabs."},
	{"interface **", "About an interface of namerd."},
	{"adminhttp **", "About the admin server."},

	{"jvm start_time", "When the process began, in milliseconds since 1970."},
	{"jvm uptime", "Milliseconds since the process began."},
	{"jvm num_cpus", "Processors that the process can use."},
	{"jvm thread count", "Threads of the operating system."},
	{"jvm heap used", "Bytes of objects on the heap."},
	{"jvm heap committed", "Bytes that the heap has from the operating system."},
	{"jvm heap max", "Bytes that the heap may grow to."},
	{"jvm mem current used", "Bytes that the process has from the operating system."},
	{"jvm gc cycles", "Garbage collections."},
	{"jvm gc msec", "Milliseconds for which garbage collections stopped the process."},
	{"jvm fd_count", "Open file descriptors."},
	{"jvm **", "About the process, by the names of the Java virtual machine."},
	{"process goroutines", "Goroutines."},
	{"process gc_cpu_seconds", "Processor time that garbage collections took, in seconds."},
	{"process open_fds", "Open file descriptors."},
	{"process resident_bytes", "Memory of the process that is in RAM, in bytes."},
	{"process cpu_seconds", "Processor time that the process took, in seconds."},
	{"process **", "About the process."},
	{"telemetry|telemeter **", "About an exporter of metrics or traces."},
}

// unknownHelp is for metrics that others than weft have put into the tree.
const unknownHelp = "A metric without a description."

// help returns what the metric is whose name has these elements.
func help(elems []string) string {
	for _, h := range helpTexts {
		if matches(h.pattern, elems) {
			return h.text
		}
	}
	return unknownHelp
}

// helpSuffix is what the families of a stat have behind that.
func helpSuffix(suffix string) string {
	switch suffix {
	case "_avg":
		return " The average of the last closed window."
	case "_histogram":
		return " Since the start."
	}
	return ""
}

func matches(pattern string, elems []string) bool {
	for {
		p, rest, more := strings.Cut(pattern, " ")
		switch {
		case p == "**":
			return !more || len(elems) > 0 && elems[len(elems)-1] == rest // one element can follow it
		case len(elems) == 0:
			return false
		case p == "*":
		default:
			found := false
			for one := range strings.SplitSeq(p, "|") {
				found = found || one == elems[0]
			}
			if !found {
				return false
			}
		}
		elems = elems[1:]
		if !more {
			return len(elems) == 0
		}
		pattern = rest
	}
}
