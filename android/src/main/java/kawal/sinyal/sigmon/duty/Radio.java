package kawal.sinyal.sigmon.duty;

import org.json.JSONObject;

/** What duty asks of the phone's radio. */
interface Radio {
  interface Told {
    /** @param reading a `RadioReading` (spec/radio-bridge.md) */
    void read(JSONObject reading);
  }

  /** Answers once, on any thread, within 1.4 s. */
  void read(Told told);

  /** What a sample takes of a reading at this instant: `technology`, `radio`, `sim`, each or null, as in spec/report.md. */
  JSONObject sample(JSONObject reading, long now);
}
