package kawal.sinyal.sigmon.duty;

import android.util.Base64;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** JWS in compact form (RFC 7515, 3.1), ES256: sigmon/src/trust.ts, without its pinning, which the page has done. */
final class Trust {
  private static final Pattern base64url = Pattern.compile("[A-Za-z0-9_-]*");
  private static final String base32 = "0123456789abcdefghjkmnpqrstvwxyz";
  private static final int keys_max = 8;

  private Trust() {}

  /** @return what one of the keys signed; null for a forgery, another algorithm, or what is no configuration. The algorithm is ours to say, not the header's */
  static SignedConfig opened(String jws, JSONArray keys) {
    String[] parts = jws.trim().split("\\.", -1);
    if (parts.length != 3) return null;
    JSONObject about = parse(parts[0]);
    byte[] signature = bytes(parts[2]);
    if (about == null || signature == null || about.has("crit") || !"ES256".equals(about.opt("alg")) || !(about.opt("kid") instanceof String)) return null;
    if (!verify(about.optString("kid"), signature, (parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII), keys)) return null;
    return SignedConfig.of(parse(parts[1]));
  }

  /** Keys whose name is their own thumbprint (RFC 7638): a key under another's name is none. */
  static JSONArray sound(JSONArray keys) {
    JSONArray found = new JSONArray();
    for (int i = 0; i < Math.min(keys_max, keys.length()); i++) {
      JSONObject key = keys.optJSONObject(i);
      if (key != null && key.optString("kid").equals(thumbprint(key))) found.put(key);
    }
    return found;
  }

  /** The first 80 bits of the JWK thumbprint in Crockford's base32 (`keyId`, contract/pack.ts). */
  static String thumbprint(JSONObject key) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" + key.optString("x") + "\",\"y\":\"" + key.optString("y") + "\"}").getBytes(StandardCharsets.UTF_8));
      BigInteger bits = new BigInteger(1, Arrays.copyOf(hash, 10));
      StringBuilder text = new StringBuilder();
      for (int shift = 75; shift >= 0; shift -= 5) text.append(base32.charAt(bits.shiftRight(shift).intValue() & 31));
      return text.toString();
    } catch (GeneralSecurityException none) {
      throw new IllegalStateException(none);
    }
  }

  private static boolean verify(String kid, byte[] signature, byte[] signed, JSONArray keys) {
    if (signature.length != 64) return false;
    for (int i = 0; i < keys.length(); i++) {
      JSONObject key = keys.optJSONObject(i);
      if (key == null || !key.optString("kid").equals(kid)) continue;
      try {
        Signature verifier = Signature.getInstance("SHA256withECDSA");
        verifier.initVerify(publicKey(key));
        verifier.update(signed);
        return verifier.verify(der(signature));
      } catch (GeneralSecurityException | IllegalArgumentException wrong) {
        return false;
      }
    }
    return false;
  }

  private static ECPublicKey publicKey(JSONObject key) throws GeneralSecurityException {
    byte[] x = bytes(key.optString("x"));
    byte[] y = bytes(key.optString("y"));
    if (x == null || y == null) throw new IllegalArgumentException("a coordinate that is no base64url");
    AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
    curve.init(new ECGenParameterSpec("secp256r1"));
    ECPublicKeySpec spec = new ECPublicKeySpec(new ECPoint(new BigInteger(1, x), new BigInteger(1, y)), curve.getParameterSpec(ECParameterSpec.class));
    return (ECPublicKey) KeyFactory.getInstance("EC").generatePublic(spec);
  }

  /** r and s side by side (RFC 7518, 3.4) as the sequence of two integers that Java wants. */
  private static byte[] der(byte[] signature) {
    byte[] r = new BigInteger(1, Arrays.copyOf(signature, 32)).toByteArray();
    byte[] s = new BigInteger(1, Arrays.copyOfRange(signature, 32, 64)).toByteArray();
    byte[] out = new byte[6 + r.length + s.length];
    out[0] = 0x30;
    out[1] = (byte) (out.length - 2);
    out[2] = 2;
    out[3] = (byte) r.length;
    System.arraycopy(r, 0, out, 4, r.length);
    out[4 + r.length] = 2;
    out[5 + r.length] = (byte) s.length;
    System.arraycopy(s, 0, out, 6 + r.length, s.length);
    return out;
  }

  private static byte[] bytes(String text) {
    if (!base64url.matcher(text).matches()) return null;
    try {
      return Base64.decode(text, Base64.URL_SAFE | Base64.NO_PADDING | Base64.NO_WRAP);
    } catch (IllegalArgumentException none) {
      return null;
    }
  }

  private static JSONObject parse(String part) {
    byte[] bytes = bytes(part);
    try {
      return bytes == null ? null : new JSONObject(new String(bytes, StandardCharsets.UTF_8));
    } catch (JSONException none) {
      return null;
    }
  }
}
