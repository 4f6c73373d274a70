// Where in the drill-down the page is: router → service → client → endpoint, kept in the
// query so that it can be linked to.

export interface Place {
  router?: string;
  service?: string;
  client?: string;
  endpoint?: string;
}

const parts = ["router", "service", "client", "endpoint"] as const;

export function parse(search: string): Place {
  const q = new URLSearchParams(search), place: Place = {};
  for (const p of parts) {
    const v = q.get(p);
    if (v) place[p] = v;
  }
  return place;
}

/** href leads to a place on the overview, from there and from /services. */
export function href(place: Place): string {
  const q = new URLSearchParams();
  for (const p of parts) if (place[p] !== undefined) q.set(p, place[p]);
  // Slashes are fine in a query, and names stay readable with them.
  const text = q.toString().replaceAll("%2F", "/");
  return text ? `./?${text}` : "./";
}
