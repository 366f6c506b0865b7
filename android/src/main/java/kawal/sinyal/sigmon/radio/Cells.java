package kawal.sinyal.sigmon.radio;

import android.os.Build;
import android.telephony.CellIdentityGsm;
import android.telephony.CellIdentityLte;
import android.telephony.CellIdentityNr;
import android.telephony.CellIdentityWcdma;
import android.telephony.CellInfo;
import android.telephony.CellInfoGsm;
import android.telephony.CellInfoLte;
import android.telephony.CellInfoNr;
import android.telephony.CellInfoWcdma;
import android.telephony.CellSignalStrength;
import android.telephony.CellSignalStrengthGsm;
import android.telephony.CellSignalStrengthLte;
import android.telephony.CellSignalStrengthNr;
import android.telephony.CellSignalStrengthWcdma;
import android.telephony.SignalStrength;
import android.telephony.TelephonyManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Android's cells as {@link Cell}s. What each version of Android tells stands in docs/decisions/0058-radio-on-android.md. */
final class Cells {
  private Cells() {}

  /** Cells of kinds that do not exist here (CDMA, TD-SCDMA), and ones over which the maker's code stumbles, are left out. */
  static List<Cell> of(List<CellInfo> told) {
    List<Cell> cells = new ArrayList<>();
    for (CellInfo info : told) {
      try {
        Cell cell = info == null ? null : cell(info);
        if (cell != null) cells.add(cell);
      } catch (RuntimeException broken) {
        continue;
      }
    }
    return cells;
  }

  /**
   * Of what the status bar draws its bars: levels without identity, which Android gives without location.
   * @return one cell for each technology that serves; empty before Android 10, and where the phone tells nothing
   */
  static List<Cell> serving(TelephonyManager phone) {
    try {
      return Build.VERSION.SDK_INT >= 29 ? Api29.serving(phone) : new ArrayList<Cell>();
    } catch (RuntimeException refused) {
      return new ArrayList<>();
    }
  }

  private static Cell cell(CellInfo info) {
    Cell cell = null;
    if (info instanceof CellInfoLte) cell = lte(((CellInfoLte) info).getCellIdentity(), ((CellInfoLte) info).getCellSignalStrength());
    else if (info instanceof CellInfoGsm) cell = gsm(((CellInfoGsm) info).getCellIdentity(), ((CellInfoGsm) info).getCellSignalStrength());
    else if (info instanceof CellInfoWcdma) cell = umts(((CellInfoWcdma) info).getCellIdentity(), ((CellInfoWcdma) info).getCellSignalStrength());
    else if (Build.VERSION.SDK_INT >= 29) cell = Api29.nr(info);
    if (cell == null) return null;
    cell.registered = info.isRegistered();
    cell.at = Build.VERSION.SDK_INT >= 30 ? Api30.at(info) : info.getTimeStamp() / 1_000_000;
    if (Build.VERSION.SDK_INT >= 28) Api28.connection(cell, info);
    return cell;
  }

  private static Cell lte(CellIdentityLte identity, CellSignalStrengthLte strength) {
    Cell cell = new Cell("lte");
    lteLevels(cell, strength);
    cell.plmn = Build.VERSION.SDK_INT >= 28 ? Api28.plmn(identity) : plmn(identity.getMcc(), identity.getMnc());
    return cell.identity("tac", identity.getTac()).identity("cellId", identity.getCi()).identity("pci", identity.getPci()).identity("channel", identity.getEarfcn());
  }

  private static Cell gsm(CellIdentityGsm identity, CellSignalStrengthGsm strength) {
    Cell cell = new Cell("gsm");
    gsmLevels(cell, strength);
    cell.plmn = Build.VERSION.SDK_INT >= 28 ? Api28.plmn(identity) : plmn(identity.getMcc(), identity.getMnc());
    return cell.identity("lac", identity.getLac()).identity("cellId", identity.getCid()).identity("pci", identity.getBsic()).identity("channel", identity.getArfcn());
  }

  private static Cell umts(CellIdentityWcdma identity, CellSignalStrengthWcdma strength) {
    Cell cell = new Cell("umts");
    umtsLevels(cell, strength);
    cell.plmn = Build.VERSION.SDK_INT >= 28 ? Api28.plmn(identity) : plmn(identity.getMcc(), identity.getMnc());
    return cell.identity("lac", identity.getLac()).identity("cellId", identity.getCid()).identity("pci", identity.getPsc()).identity("channel", identity.getUarfcn());
  }

  private static void lteLevels(Cell cell, CellSignalStrengthLte strength) {
    if (Build.VERSION.SDK_INT >= 26) Api26.levels(cell, strength);
    else cell.level("rsrpDbm", strength.getDbm());
    if (Build.VERSION.SDK_INT >= 29) cell.level("rssiDbm", Api29.rssi(strength));
  }

  private static void gsmLevels(Cell cell, CellSignalStrengthGsm strength) {
    cell.level("rssiDbm", Build.VERSION.SDK_INT >= 30 ? Api30.rssi(strength) : strength.getDbm());
  }

  /**
   * One number stands for two things: RSCP where the phone tells it (Android 10 and newer), else the RSSI. The arbitrary unit
   * of TS 27.007 beside it says which: RSCP is its N - 120, RSSI is 2 N - 113.
   */
  private static void umtsLevels(Cell cell, CellSignalStrengthWcdma strength) {
    int dbm = strength.getDbm();
    int unit = strength.getAsuLevel();
    if (dbm == unit - 120) cell.level("rscpDbm", dbm);
    // an RSSI of an even number of dBm has no unit of its own
    else if (unit == (dbm + 113) / 2) cell.level("rssiDbm", dbm);
    if (Build.VERSION.SDK_INT >= 30) cell.level("ecioDb", Api30.ecNo(strength));
  }

  private static String plmn(int mcc, int mnc) {
    return mcc < 0 || mcc > 999 || mnc < 0 || mnc > 999 ? null : String.format(Locale.ROOT, mnc > 99 ? "%03d%03d" : "%03d%02d", mcc, mnc);
  }

  private static String plmn(String mcc, String mnc) {
    return mcc == null || mnc == null ? null : Sims.plmn(mcc + mnc);
  }

  private static final class Api26 {
    static void levels(Cell cell, CellSignalStrengthLte strength) {
      cell.level("rsrpDbm", strength.getRsrp()).level("rsrqDb", strength.getRsrq());
      int snr = strength.getRssnr();
      // tenths of a dB up to Android 11, whole dB from 12 on; a sentinel has no unit
      if (!Scales.isUnknown("sinrDb", snr) || (Build.VERSION.SDK_INT < 31 && Math.abs(snr) <= 300)) cell.level("sinrDb", Build.VERSION.SDK_INT < 31 ? snr / 10.0 : snr);
    }
  }

  private static final class Api28 {
    static void connection(Cell cell, CellInfo info) {
      int status = info.getCellConnectionStatus();
      if (status == CellInfo.CONNECTION_SECONDARY_SERVING) cell.becomeSecondary();
      else if (status == CellInfo.CONNECTION_NONE || status == CellInfo.CONNECTION_PRIMARY_SERVING) cell.secondary = false;
    }

    static String plmn(CellIdentityLte identity) {
      return Cells.plmn(identity.getMccString(), identity.getMncString());
    }

    static String plmn(CellIdentityGsm identity) {
      return Cells.plmn(identity.getMccString(), identity.getMncString());
    }

    static String plmn(CellIdentityWcdma identity) {
      return Cells.plmn(identity.getMccString(), identity.getMncString());
    }
  }

  private static final class Api29 {
    static Cell nr(CellInfo info) {
      if (!(info instanceof CellInfoNr)) return null;
      CellIdentityNr identity = (CellIdentityNr) ((CellInfoNr) info).getCellIdentity();
      Cell cell = new Cell("nr");
      levels(cell, (CellSignalStrengthNr) ((CellInfoNr) info).getCellSignalStrength());
      cell.plmn = plmn(identity.getMccString(), identity.getMncString());
      return cell.identity("tac", identity.getTac()).identity("cellId", identity.getNci()).identity("pci", identity.getPci()).identity("channel", identity.getNrarfcn());
    }

    static void levels(Cell cell, CellSignalStrengthNr strength) {
      cell.level("rsrpDbm", strength.getSsRsrp()).level("rsrqDb", strength.getSsRsrq()).level("sinrDb", strength.getSsSinr());
    }

    static int rssi(CellSignalStrengthLte strength) {
      return strength.getRssi();
    }

    static List<Cell> serving(TelephonyManager phone) {
      List<Cell> cells = new ArrayList<>();
      SignalStrength told = phone.getSignalStrength();
      if (told == null) return cells;
      for (CellSignalStrength strength : told.getCellSignalStrengths()) {
        Cell cell = serving(strength);
        if (cell == null || !cell.hasLevels()) continue;
        if (Build.VERSION.SDK_INT >= 30) cell.at = Api30.at(told);
        cells.add(cell);
      }
      return cells;
    }

    private static Cell serving(CellSignalStrength strength) {
      Cell cell = null;
      if (strength instanceof CellSignalStrengthLte) lteLevels(cell = new Cell("lte"), (CellSignalStrengthLte) strength);
      else if (strength instanceof CellSignalStrengthNr) levels(cell = new Cell("nr"), (CellSignalStrengthNr) strength);
      else if (strength instanceof CellSignalStrengthWcdma) umtsLevels(cell = new Cell("umts"), (CellSignalStrengthWcdma) strength);
      else if (strength instanceof CellSignalStrengthGsm) gsmLevels(cell = new Cell("gsm"), (CellSignalStrengthGsm) strength);
      return cell;
    }
  }

  private static final class Api30 {
    static long at(CellInfo info) {
      return info.getTimestampMillis();
    }

    static long at(SignalStrength strength) {
      return strength.getTimestampMillis();
    }

    static int rssi(CellSignalStrengthGsm strength) {
      return strength.getRssi();
    }

    static int ecNo(CellSignalStrengthWcdma strength) {
      return strength.getEcNo();
    }
  }
}
