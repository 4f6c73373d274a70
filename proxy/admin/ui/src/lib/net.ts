// Requests to the admin server. Paths are relative to the server's root, wherever a
// proxy in front has put it.

/** Problem is an answer that is none of the wanted ones; its message is the server's own words. */
export class Problem extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** url leads from this page to a path of the server, such as "endpoints.json". */
export function url(path: string): string {
  return (document.body.dataset.root ?? "./") + path;
}

/** request sends, and throws a Problem unless the status is 2xx. */
export async function request(path: string, init?: RequestInit): Promise<Response> {
  const rep = await fetch(url(path), init);
  if (rep.ok) return rep;
  const text = rep.headers.get("Content-Type")?.startsWith("text/html") ? "" : (await rep.text()).trim();
  throw new Problem(rep.status, text || `${path}: status ${rep.status}`);
}

export async function getJSON<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await request(path, signal ? { signal } : {})).json() as Promise<T>;
}

export async function postJSON<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  if (signal) init.signal = signal;
  return (await request(path, init)).json() as Promise<T>;
}

export async function postForm(path: string, fields: Record<string, string>): Promise<void> {
  await request(path, { method: "POST", body: new URLSearchParams(fields) });
}

/** served says whether the server has a page and lets it out, so that nothing is asked in vain. */
export function served(path: string): boolean {
  return (document.body.dataset.serves ?? "").split(" ").includes(path);
}
