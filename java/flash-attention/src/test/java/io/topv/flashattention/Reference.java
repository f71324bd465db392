package io.topv.flashattention;

/** Attention of one sequence in double precision. */
final class Reference {
  /** Element d of a head of a token. */
  interface Rows {
    double at(int token, int head, int d);
  }

  int queries;
  int keys;
  int heads;
  int headsK;
  int headDim;
  boolean causal;
  int left = -1;
  int right = -1;
  double softcap;
  Rows q;
  Rows k;
  Rows v;

  /** [queries, heads, headDim]. */
  double[][][] out;

  /** [queries, heads]. */
  double[][] lse;

  void run() {
    out = new double[queries][heads][headDim];
    lse = new double[queries][heads];
    for (int i = 0; i < queries; i++) {
      int own = i + keys - queries;
      int begin = left < 0 ? 0 : Math.max(0, own - left);
      int end = causal ? own + 1 : right < 0 ? keys : own + right + 1;
      for (int h = 0; h < heads; h++) {
        row(i, h, begin, Math.min(keys, end));
      }
    }
  }

  private void row(int i, int h, int begin, int end) {
    int kvHead = h / (heads / headsK);
    double[] weights = new double[Math.max(0, end)];
    double most = Double.NEGATIVE_INFINITY;
    for (int j = begin; j < end; j++) {
      double sum = 0;
      for (int d = 0; d < headDim; d++) {
        sum += q.at(i, h, d) * k.at(j, kvHead, d);
      }
      sum /= Math.sqrt(headDim);
      weights[j] = softcap > 0 ? softcap * Math.tanh(sum / softcap) : sum;
      most = Math.max(most, weights[j]);
    }
    double total = 0;
    for (int j = begin; j < end; j++) {
      total += weights[j] = Math.exp(weights[j] - most);
    }
    lse[i][h] = begin < end ? most + Math.log(total) : Double.NEGATIVE_INFINITY;
    for (int j = begin; j < end; j++) {
      for (int d = 0; d < headDim; d++) {
        out[i][h][d] += weights[j] / total * v.at(j, kvHead, d);
      }
    }
  }
}
