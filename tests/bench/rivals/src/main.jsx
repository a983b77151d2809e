// React 19 and TanStack Query as their documentation says: a query for the list, an EventSource, `setQueryData`. Events are put
// into the cache every 100 ms, once per animation frame, or one by one: `?batch=100|frame|event`.

import { QueryClient, QueryClientProvider, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { createRoot } from "react-dom/client";
import { PenAge } from "../../../../web/src/elements/age.mjs";
import { Table } from "./table.jsx";
import { reduce } from "./reduce.js";

customElements.define("pen-age", PenAge);

const BATCH = new URLSearchParams(location.search).get("batch") ?? "100";
const JOBS = ["jobs", { limit: 50 }];

async function readJobs() {
  const response = await fetch("/api/v1/jobs?limit=50");
  return (await response.json()).jobs;
}

/** Raw frames in, one `setQueryData` per batch out. */
function listen(client) {
  let waiting = [];
  let scheduled = false;
  const flush = () => {
    scheduled = false;
    const events = waiting.map((text) => JSON.parse(text));
    waiting = [];
    client.setQueryData(JOBS, (rows) => (rows ? reduce(rows, events) : rows));
    globalThis.benchApplied = (globalThis.benchApplied ?? 0) + events.length;
  };
  const source = new EventSource("/api/v1/events/stream");
  source.onmessage = ({ data }) => {
    waiting.push(data);
    if (BATCH === "event") return flush();
    if (scheduled) return;
    scheduled = true;
    if (BATCH === "frame") requestAnimationFrame(flush);
    else setTimeout(flush, Number(BATCH));
  };
  source.addEventListener("hello", () => { globalThis.benchReady = true; });
  return () => source.close();
}

function Jobs() {
  const client = useQueryClient();
  const { data, isSuccess } = useQuery({ queryKey: JOBS, queryFn: readJobs, staleTime: Infinity });
  useEffect(() => (isSuccess ? listen(client) : undefined), [client, isSuccess]);
  return <Table rows={data ?? []} />;
}

createRoot(document.getElementById("app")).render(
  <QueryClientProvider client={new QueryClient()}>
    <Jobs />
  </QueryClientProvider>,
);
