import type { Place } from "../dash/place.ts";
import type { Store } from "../dash/store.ts";

/** View is what the dashboard shows of one place. */
export interface View {
  readonly element: HTMLElement;
  /** heading is the page's first heading. */
  readonly heading: string;
  update(store: Store): void;
  close(): void;
}

export type MakeView = (place: Place, store: Store) => View;
