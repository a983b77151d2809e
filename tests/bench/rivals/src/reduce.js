// The list after a batch of events: 50 rows, newest first; a row that nothing changed keeps its identity.

const LIMIT = 50;

function after(job, event) {
  switch (event.type) {
    case "job.progress":
      return job.status === "active" ? { ...job, progress: event.progress } : job;
    case "job.completed":
      return { ...job, status: "complete", progress: 1, duration_ms: event.duration_ms, completed_at: event.completed_at };
    case "job.failed":
      return { ...job, status: "failed", error: event.error, completed_at: event.failed_at };
    default:
      return job;
  }
}

const born = (event) => ({
  id: event.job_id,
  function: event.function,
  function_name: event.function_name,
  status: "active",
  attempts: event.attempt,
  max_retries: event.max_retries,
  worker_id: event.worker_id,
  started_at: event.started_at,
  progress: 0,
  duration_ms: null,
});

export function reduce(rows, events) {
  const jobs = new Map(rows.map((job) => [job.id, job]));
  for (const event of events) {
    const job = jobs.get(event.job_id);
    if (job) jobs.set(job.id, after(job, event));
    else if (event.type === "job.started") jobs.set(event.job_id, born(event));
  }
  // ISO texts of one form stand in the order of their times.
  return [...jobs.values()].sort((a, b) => (a.started_at < b.started_at ? 1 : a.started_at > b.started_at ? -1 : 0)).slice(0, LIMIT);
}
