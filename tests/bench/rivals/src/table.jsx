// The table that the Python page shows, cell for cell, in React.

import { memo } from "react";

const WORDS = { active: "Active", complete: "Complete", failed: "Failed" };

function figures(value) {
  if (value === 0) return "0";
  if (value < 0.005) return "<0.01";
  const decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  const text = value.toFixed(decimals);
  return decimals ? text.replace(/\.?0+$/, "") : text;
}

function duration(ms) {
  if (ms == null) return ["—", ""];
  if (ms < 999.5) return [figures(ms), "ms"];
  if (ms < 59_950) return [figures(ms / 1_000), "s"];
  return [figures(ms / 60_000), "min"];
}

function Duration({ job }) {
  if (job.status === "active") {
    if (job.progress > 0) {
      const percent = Math.max(0, Math.min(100, Math.trunc(job.progress * 100)));
      return (
        <span className="prog">
          <progress max="100" value={percent} aria-label="Progress" />
          <span className="p">
            {percent}
            <span className="u fx">%</span>
          </span>
        </span>
      );
    }
    return <pen-age at={job.started_at} />;
  }
  const [digits, unit] = duration(job.duration_ms);
  if (!unit) {
    return (
      <>
        <span className="dim">{digits}</span>
        <span className="u fx" />
      </>
    );
  }
  return (
    <>
      {digits}
      <span className="u fx">{unit}</span>
    </>
  );
}

const Row = memo(function Row({ job }) {
  return (
    <tr>
      <td>
        <span className="st" data-st={job.status}>
          <svg className="i" aria-hidden="true">
            <use href={`#s-${job.status}`} />
          </svg>
          <span className="word">{WORDS[job.status]}</span>
        </span>
      </td>
      <td>
        <bdi className="fn" title={job.function}>{job.function_name}</bdi>
      </td>
      <td>
        <span className="mono">{job.id}</span>
      </td>
      <td className="num">{`${job.attempts}/${job.max_retries + 1}`}</td>
      <td>
        <span className="mono">{job.worker_id}</span>
      </td>
      <td className="num">
        <Duration job={job} />
      </td>
      <td className="num">
        <pen-age at={job.started_at} />
      </td>
    </tr>
  );
});

const COLUMNS = ["Status", "Function", "Job", "Attempt", "Worker", "Duration", "Age"];

export function Table({ rows }) {
  return (
    <section className="panel listing">
      <table className="tight">
        <thead>
          <tr>
            {COLUMNS.map((word) => (
              <th scope="col" key={word}>{word}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((job) => (
            <Row key={job.id} job={job} />
          ))}
        </tbody>
      </table>
    </section>
  );
}
