package kawal.sinyal.sigmon.radio;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What radio values can be: the tables of core/measurement/radio-reading.ts and core/measurement/validate.ts.
 * Sources: 3GPP TS 36.133, 38.133, 25.133, 45.008, 23.003, 36.101, 38.104, 36.211, 38.211 and Android's documentation.
 */
final class Scales {
  /** In the order in which a sample names them: dBm and dB. */
  static final List<String> LEVELS = Collections.unmodifiableList(Arrays.asList("rsrpDbm", "rsrqDb", "sinrDb", "rscpDbm", "ecioDb", "rssiDbm"));
  static final List<String> IDENTITIES = Collections.unmodifiableList(Arrays.asList("tac", "lac", "cellId", "pci", "channel"));
  static final List<String> TECHNOLOGIES = Collections.unmodifiableList(Arrays.asList("gsm", "umts", "lte", "nr"));
  static final long AGE_MS_MAX = 2_147_483_646L;

  /** 99 and 255 of TS 27.007, 32767 and 65535 of modems, Android's CellInfo.UNAVAILABLE. */
  private static final List<Double> UNKNOWN = Arrays.asList(99d, 255d, 32_767d, 65_535d, 2_147_483_647d, -2_147_483_648d);
  private static final Map<String, double[]> RANGES = ranges();
  private static final Map<String, Long> HIGHEST = highest();

  private Scales() {}

  /** Whether a level is what a platform writes where it knows nothing. Android 7 and 8 turn the sign of INT_MAX for LTE. */
  static boolean isUnknown(String name, double value) {
    return Double.isNaN(value) || Math.abs(value) > 1e9 || UNKNOWN.contains(value) || (value == -1 && name.endsWith("Dbm"));
  }

  /** @return least and most, or null where the technology has no such level */
  static double[] range(String technology, String name) {
    return RANGES.get(technology + ' ' + name);
  }

  /** @return the highest number that exists */
  static long highest(String technology, String name) {
    return HIGHEST.get(technology + ' ' + (name.equals("tac") || name.equals("lac") ? "area" : name));
  }

  private static Map<String, double[]> ranges() {
    Map<String, double[]> made = new HashMap<>();
    made.put("lte rsrpDbm", new double[] {-140, -43});
    made.put("lte rsrqDb", new double[] {-34, 3});
    made.put("lte sinrDb", new double[] {-20, 30});
    made.put("lte rssiDbm", new double[] {-120, -20});
    made.put("nr rsrpDbm", new double[] {-156, -31});
    made.put("nr rsrqDb", new double[] {-43, 20});
    made.put("nr sinrDb", new double[] {-23, 40});
    made.put("nr rssiDbm", new double[] {-120, -20});
    made.put("gsm rssiDbm", new double[] {-113, -51});
    made.put("umts rscpDbm", new double[] {-120, -24});
    made.put("umts ecioDb", new double[] {-24, 0});
    made.put("umts rssiDbm", new double[] {-120, -20});
    return made;
  }

  private static Map<String, Long> highest() {
    Map<String, Long> made = new HashMap<>();
    put(made, "gsm", 65_533, 65_534, 63, 1_023);
    put(made, "umts", 65_533, 268_435_454, 511, 16_383);
    put(made, "lte", 65_533, 268_435_454, 503, 262_143);
    put(made, "nr", 16_777_213, 68_719_476_734L, 1_007, 3_279_165);
    return made;
  }

  private static void put(Map<String, Long> made, String technology, long area, long cellId, long pci, long channel) {
    made.put(technology + " area", area);
    made.put(technology + " cellId", cellId);
    made.put(technology + " pci", pci);
    made.put(technology + " channel", channel);
  }
}
