/** The reliability curve: how sure Conclave was against how often it was right, with its table. */
import type { CalibrationView, ReliabilityBin } from "../../backend/generated";
import styles from "./insights.module.css";

const SIDE = 160;
const PAD = 20;
const x = (share: number) => PAD + share * SIDE;
const y = (share: number) => PAD + (1 - share) * SIDE;

export function Reliability({ bins, calibration }: { bins: ReliabilityBin[]; calibration: CalibrationView | null }) {
  if (bins.length === 0 || calibration === null) {
    return (
      <p className={styles.text}>
        Once it is known of fixes whether they were right, this shows whether Conclave was as sure as it should be.
      </p>
    );
  }
  return (
    <div className={styles.reliability}>
      <svg viewBox={`0 0 ${SIDE + 2 * PAD} ${SIDE + 2 * PAD}`} width={SIDE + 2 * PAD} aria-hidden="true">
        <rect x={PAD} y={PAD} width={SIDE} height={SIDE} className={styles.plot} />
        <line x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} className={styles.ideal} />
        {bins.map(({ said, was }, index) => (
          <g key={index}>
            <line x1={x(said)} x2={x(said)} y1={y(was.low)} y2={y(was.high)} className={styles.whisker} />
            <circle cx={x(said)} cy={y(was.p)} r={3.5} className={styles.dot} />
          </g>
        ))}
      </svg>
      <table className={styles.table}>
        <caption>
          Brier {calibration.brier.toFixed(3)}, calibration error {calibration.ece.toFixed(3)}
        </caption>
        <thead>
          <tr>
            <th scope="col">Said</th>
            <th scope="col">Was right</th>
            <th scope="col">Fixes</th>
          </tr>
        </thead>
        <tbody>
          {bins.map(({ n, said, was }, index) => (
            <tr key={index}>
              <td>{said.toFixed(2)}</td>
              <td>
                {was.p.toFixed(2)}{" "}
                <span className="faint">
                  ({was.low.toFixed(2)} to {was.high.toFixed(2)})
                </span>
              </td>
              <td>{n}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
