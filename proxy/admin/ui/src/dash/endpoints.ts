// GET /endpoints.json: what the balancers of this process know of every endpoint.

export interface Budget { balance: number; percentCanRetry: number; minRetriesPerSec?: number; ttlSecs?: number }

export interface Breaker {
  state: "closed" | "open" | "probing" | string;
  policy: string;
  /** standing says what counts against the endpoint. */
  standing?: string;
  failures: number;
  openForMs: number;
  retryInMs: number;
}

/** FailFast is why no connection is to be had, and when that is tried again. */
export interface FailFast { error: string; failedProbes: number; downForMs: number; retryInMs: number }

/** WeightClass is the endpoints of one weight, which share the traffic of their class. */
export interface WeightClass { weight: number; size: number; available: number; share: number }

export interface Endpoint {
  address: string;
  weight: number;
  metadata: Record<string, unknown> | null;
  status: string;
  load: number;
  ewmaMs: number;
  pending: number;
  breaker: Breaker | null;
  connections: { open: number; idle: number } | null;
  failFast?: FailFast | null;
  inAperture?: boolean;
  weightClass?: WeightClass | null;
  pickable: boolean;
  why: string;
}

export interface ClientEndpoints {
  client: string;
  state: string;
  status: string;
  balancer: string;
  requeueBudget: Budget | null;
  size: number;
  available: number;
  /** aperture is how many endpoints are picked from, of a balancer that has an aperture. */
  aperture?: number;
  endpoints: Endpoint[] | null;
}

export interface ServiceEndpoints {
  service: string;
  pending: number;
  retrying?: number;
  /** error is why there are no clients. */
  error?: string;
  retryBudget: Budget | null;
  clients: string[] | null;
}

export interface RouterEndpoints {
  router: string;
  protocol: string;
  services: ServiceEndpoints[] | null;
  clients: ClientEndpoints[] | null;
}

export interface EndpointTable { routers: RouterEndpoints[] | null }

export function clientOf(t: EndpointTable | undefined, router: string, client: string): ClientEndpoints | undefined {
  return routerOf(t, router)?.clients?.find((c) => c.client === client);
}

export function serviceOf(t: EndpointTable | undefined, router: string, service: string): ServiceEndpoints | undefined {
  return routerOf(t, router)?.services?.find((s) => s.service === service);
}

function routerOf(t: EndpointTable | undefined, router: string): RouterEndpoints | undefined {
  return t?.routers?.find((r) => r.router === router);
}
