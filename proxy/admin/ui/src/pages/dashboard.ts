import { Crumbs } from "../dash/crumbs.ts";
import { parse, type Place } from "../dash/place.ts";
import { Store } from "../dash/store.ts";
import { find } from "../lib/dom.ts";
import { routers } from "../lib/page.ts";
import { ClientView } from "../views/client.ts";
import { EndpointView } from "../views/endpoint.ts";
import { RouterView } from "../views/router.ts";
import { ServiceView } from "../views/service.ts";
import { ServicesView } from "../views/services.ts";
import type { View } from "../views/view.ts";

// The overview and the page of services. Following a link within the overview changes
// the view only, so that what the charts have collected is kept.

const box = find("#view"), title = document.title, onServices = document.body.dataset.page === "services";
const store = new Store(() => view.update(store));
const crumbs = new Crumbs(find("#crumbs"), find("h1"));
let view = show(parse(location.search));

function make(place: Place): View {
  if (onServices) return new ServicesView(place);
  if (place.router !== undefined && place.client !== undefined) return place.endpoint === undefined ? new ClientView(place) : new EndpointView(place);
  if (place.router !== undefined && place.service !== undefined) return new ServiceView(place);
  const known = routers().some((r) => r.label === place.router);
  return new RouterView(known ? { router: place.router } : {}, routers().length > 1, store);
}

function show(place: Place): View {
  const next = make(place);
  box.replaceChildren(next.element);
  crumbs.show(place, next.heading);
  document.title = next.heading === "Overview" ? title : `${next.heading} – ${title}`;
  store.wantEndpoints(onServices ? 60_000 : place.client !== undefined || place.service !== undefined ? 1000 : 10_000);
  next.update(store);
  return next;
}

function go(): void {
  view.close();
  view = show(parse(location.search));
}

document.addEventListener("click", (e) => {
  const a = e.target instanceof Element ? e.target.closest("a") : null;
  if (!a || onServices || e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
  const to = new URL(a.href);
  if (to.origin !== location.origin || to.pathname !== location.pathname || to.hash || a.target) return;
  e.preventDefault();
  history.pushState(null, "", to.search || to.pathname);
  go();
  scrollTo(0, 0);
  find("h1").focus({ preventScroll: true });
});
addEventListener("popstate", go);
