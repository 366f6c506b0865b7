package kawal.sinyal.sigmon.radio;

import android.os.Build;
import android.os.SystemClock;
import android.telephony.CellIdentityGsm;
import android.telephony.CellIdentityLte;
import android.telephony.CellIdentityNr;
import android.telephony.CellIdentityWcdma;
import android.telephony.CellInfo;
import android.telephony.CellInfoCdma;
import android.telephony.CellInfoGsm;
import android.telephony.CellInfoLte;
import android.telephony.CellInfoWcdma;
import android.telephony.CellSignalStrengthGsm;
import android.telephony.CellSignalStrengthLte;
import android.telephony.CellSignalStrengthNr;
import android.telephony.CellSignalStrengthWcdma;
import android.telephony.SignalStrength;
import org.robolectric.shadows.CellIdentityNrBuilder;
import org.robolectric.shadows.CellInfoNrBuilder;
import org.robolectric.util.ReflectionHelpers;

/** A cell as Android's own class of the tested version. What is not set is what Android calls unavailable. */
final class Heard {
  static final int NONE = Integer.MAX_VALUE;

  private final String technology;
  private boolean registered;
  private String plmn;
  private int status = NONE;
  private long at = SystemClock.elapsedRealtime() - 400;
  /** Of LTE: RSRP, RSRQ, RSSNR, RSSI; NR: SS-RSRP, SS-RSRQ, SS-SINR; UMTS: RSCP, Ec/No, RSSI; GSM: RSSI. All in dBm and dB but the RSSNR, in the phone's unit. */
  private int[] levels = {NONE, NONE, NONE, NONE};
  private long area = NONE;
  private long cell = NONE;
  private int pci = NONE;
  private int channel = NONE;

  private Heard(String technology) {
    this.technology = technology;
  }

  static Heard lte() {
    return new Heard("lte");
  }

  static Heard nr() {
    return new Heard("nr");
  }

  static Heard umts() {
    return new Heard("umts");
  }

  static Heard gsm() {
    return new Heard("gsm");
  }

  static CellInfo cdma() {
    return new CellInfoCdma();
  }

  Heard registered(String network) {
    registered = true;
    plmn = network;
    return this;
  }

  Heard status(int told) {
    status = told;
    return this;
  }

  /** @param elapsed ms since the phone was switched on */
  Heard at(long elapsed) {
    at = elapsed;
    return this;
  }

  Heard levels(int... told) {
    System.arraycopy(told, 0, levels, 0, told.length);
    return this;
  }

  Heard identity(long area, long cell, int pci, int channel) {
    this.area = area;
    this.cell = cell;
    this.pci = pci;
    this.channel = channel;
    return this;
  }

  CellInfo make() {
    CellInfo info;
    if (technology.equals("nr")) return makeNr();
    if (technology.equals("lte")) {
      CellIdentityLte identity = new CellIdentityLte();
      set(identity, "mTac", (int) area);
      set(identity, "mCi", (int) cell);
      set(identity, "mPci", pci);
      set(identity, "mEarfcn", channel);
      info = whole(new CellInfoLte(), "Lte", network(identity), lteStrength());
    } else if (technology.equals("gsm")) {
      CellIdentityGsm identity = new CellIdentityGsm();
      set(identity, "mLac", (int) area);
      set(identity, "mCid", (int) cell);
      set(identity, "mBsic", pci);
      set(identity, "mArfcn", channel);
      info = whole(new CellInfoGsm(), "Gsm", network(identity), gsmStrength());
    } else {
      CellIdentityWcdma identity = new CellIdentityWcdma();
      set(identity, "mLac", (int) area);
      set(identity, "mCid", (int) cell);
      set(identity, "mPsc", pci);
      set(identity, "mUarfcn", channel);
      info = whole(new CellInfoWcdma(), "Wcdma", network(identity), umtsStrength());
    }
    set(info, "mRegistered", registered);
    set(info, "mTimeStamp", nanoseconds());
    if (Build.VERSION.SDK_INT >= 28) set(info, "mCellConnectionStatus", status);
    return info;
  }

  /** What stands behind the bars. @param beside NR of EN-DC, or null */
  SignalStrength strength(Heard beside) {
    SignalStrength made = new SignalStrength();
    if (technology.equals("lte")) set(made, "mLte", lteStrength());
    if (technology.equals("gsm")) set(made, "mGsm", gsmStrength());
    if (technology.equals("umts")) set(made, "mWcdma", umtsStrength());
    if (technology.equals("nr")) set(made, "mNr", nrStrength());
    if (beside != null) set(made, "mNr", beside.nrStrength());
    if (Build.VERSION.SDK_INT >= 30) set(made, "mTimestampMillis", at);
    return made;
  }

  private long nanoseconds() {
    return at == Long.MAX_VALUE ? at : at * 1_000_000;
  }

  private CellInfo makeNr() {
    CellIdentityNr identity = CellIdentityNrBuilder.newBuilder().setTac((int) area).setNci(cell == NONE ? Long.MAX_VALUE : cell).setPci(pci).setNrarfcn(channel)
      .setMcc(plmn == null ? null : plmn.substring(0, 3)).setMnc(plmn == null ? null : plmn.substring(3)).build();
    return CellInfoNrBuilder.newBuilder().setRegistered(registered).setTimeStampNanos(nanoseconds()).setCellConnectionStatus(status).setCellIdentity(identity).setCellSignalStrength(nrStrength()).build();
  }

  private CellSignalStrengthNr nrStrength() {
    return new CellSignalStrengthNr(NONE, NONE, NONE, levels[0], levels[1], levels[2]);
  }

  private CellSignalStrengthLte lteStrength() {
    CellSignalStrengthLte strength = new CellSignalStrengthLte();
    set(strength, "mRsrp", levels[0]);
    set(strength, "mRsrq", levels[1]);
    set(strength, "mRssnr", levels[2]);
    if (Build.VERSION.SDK_INT >= 29) set(strength, "mRssi", levels[3]);
    return strength;
  }

  private CellSignalStrengthGsm gsmStrength() {
    CellSignalStrengthGsm strength = new CellSignalStrengthGsm();
    if (Build.VERSION.SDK_INT >= 29) set(strength, "mRssi", levels[0]);
    else set(strength, "mSignalStrength", unit(levels[0]));
    return strength;
  }

  private CellSignalStrengthWcdma umtsStrength() {
    CellSignalStrengthWcdma strength = new CellSignalStrengthWcdma();
    if (Build.VERSION.SDK_INT >= 29) {
      set(strength, "mRscp", levels[0]);
      set(strength, "mEcNo", levels[1]);
      set(strength, "mRssi", levels[2]);
    } else set(strength, "mSignalStrength", unit(levels[2]));
    return strength;
  }

  private static int unit(int rssi) {
    return rssi == NONE ? 99 : (rssi + 113) / 2;
  }

  private Object network(Object identity) {
    if (plmn == null) return identity;
    if (Build.VERSION.SDK_INT >= 28) {
      set(identity, "mMccStr", plmn.substring(0, 3));
      set(identity, "mMncStr", plmn.substring(3));
    } else {
      set(identity, "mMcc", Integer.parseInt(plmn.substring(0, 3)));
      set(identity, "mMnc", Integer.parseInt(plmn.substring(3)));
    }
    return identity;
  }

  private static CellInfo whole(CellInfo info, String kind, Object identity, Object strength) {
    set(info, "mCellIdentity" + kind, identity);
    set(info, "mCellSignalStrength" + kind, strength);
    return info;
  }

  private static void set(Object object, String field, Object value) {
    ReflectionHelpers.setField(object, field, value);
  }
}
