package io.topv.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.engine.TopvException;
import io.topv.runtime.Activation;
import io.topv.runtime.DType;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ModelConfigTest {
  private static ModelConfig parse(String json) {
    return ModelConfig.parse(
        "config.json", json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
  }

  private static TextConfig llama(String fields) {
    return parse("{'model_type':'llama'" + (fields.isEmpty() ? "" : ",") + fields + "}").text();
  }

  private static LlavaConfig llava(String fields) {
    return (LlavaConfig)
        parse("{'model_type':'llava'" + (fields.isEmpty() ? "" : ",") + fields + "}");
  }

  @Test
  void llamaDefaultsAreThoseOfTransformers() {
    TextConfig c = llama("");
    assertThat(c)
        .isEqualTo(
            new TextConfig(
                "llama",
                4096,
                11008,
                32,
                32,
                32,
                128,
                32000,
                1e-6,
                10000,
                new RopeScaling.Default(),
                2048,
                false,
                false,
                false,
                java.util.OptionalInt.of(1),
                List.of(2)));
  }

  /**
   * The config.json of llava-hf/llava-1.5-7b-hf as saved by transformers 4: most fields are left
   * out.
   */
  @Test
  void readsTheSparseConfigOfLlava15() {
    LlavaConfig c =
        llava(
            "'architectures':['LlavaForConditionalGeneration'],'ignore_index':-100,"
                + "'image_token_index':32000,'projector_hidden_act':'gelu',"
                + "'text_config':{'_name_or_path':'lmsys/vicuna-7b-v1.5','max_position_embeddings':4096,"
                + "'model_type':'llama','rms_norm_eps':1e-05,'torch_dtype':'float16','vocab_size':32064},"
                + "'tie_word_embeddings':false,'torch_dtype':'bfloat16',"
                + "'vision_config':{'hidden_size':1024,'image_size':336,'intermediate_size':4096,"
                + "'model_type':'clip_vision_model','num_attention_heads':16,'num_hidden_layers':24,"
                + "'patch_size':14,'projection_dim':768,'vocab_size':32000},"
                + "'vision_feature_layer':-2,'vision_feature_select_strategy':'default'");
    assertThat(c.vision()).isEqualTo(VisionConfig.largeAt336());
    assertThat(c.visualTokens()).isEqualTo(576);
    assertThat(c.visionFeatureLayers()).containsExactly(23);
    assertThat(c.visionLayersNeeded()).isEqualTo(23);
    assertThat(c.text().headDim()).isEqualTo(128);
    assertThat(c.text().rmsNormEps()).isEqualTo(1e-5);
    assertThat(c.text().maxPositionEmbeddings()).isEqualTo(4096);
    assertThat(c.dtype()).contains(DType.BF16);
    assertThat(c.multimodalProjectorBias()).isTrue();
  }

  @Test
  void llavaWithoutPartsTakesTheDefaultParts() {
    LlavaConfig c = llava("'image_token_index':31999");
    assertThat(c.vision()).isEqualTo(VisionConfig.largeAt336());
    assertThat(c.text()).isEqualTo(llama(""));
    assertThat(c.selectStrategy()).isEqualTo(LlavaConfig.SelectStrategy.DEFAULT);
    assertThat(c.projectorHiddenAct()).isEqualTo(Activation.GELU);
    assertThat(llava("'vision_config':{},'image_token_id':5").vision().imageSize()).isEqualTo(224);
    assertThat(llava("'image_token_id':5").imageTokenIndex()).isEqualTo(5);
  }

  @Test
  void featureLayersCountFromEitherEndAndKeepTheirOrder() {
    String base = "'image_token_index':5,'vision_config':{'num_hidden_layers':4},";
    assertThat(llava(base + "'vision_feature_layer':-1").visionFeatureLayers()).containsExactly(4);
    assertThat(llava(base + "'vision_feature_layer':-5").visionFeatureLayers()).containsExactly(0);
    LlavaConfig c =
        llava(base + "'vision_feature_layer':[-1,1,-3],'vision_feature_select_strategy':'full'");
    assertThat(c.visionFeatureLayers()).containsExactly(4, 1, 2);
    assertThat(c.featureSize()).isEqualTo(3 * 768);
    assertThat(c.visualTokens()).isEqualTo(50);
  }

  @Test
  void tiedInEitherPlaceIsTied() {
    assertThat(llava("'image_token_id':1,'tie_word_embeddings':true").text().tieWordEmbeddings())
        .isTrue();
    assertThat(
            llava("'image_token_id':1,'text_config':{'tie_word_embeddings':true}")
                .text()
                .tieWordEmbeddings())
        .isTrue();
    assertThat(llama("'tie_word_embeddings':true").tieWordEmbeddings()).isTrue();
  }

  @Test
  void ropeIsReadInItsOldAndItsNewPlace() {
    RopeScaling llama3 = new RopeScaling.Llama3(8, 1, 4, 64);
    String l3 = "'factor':8.0,'low_freq_factor':1.0,'high_freq_factor':4.0";
    String original = ",'original_max_position_embeddings':64";
    TextConfig old =
        llama("'rope_theta':5e5,'rope_scaling':{'rope_type':'llama3'," + l3 + original + "}");
    TextConfig now =
        llama(
            "'rope_parameters':{'rope_theta':500000.0,'rope_type':'llama3'," + l3 + original + "}");
    assertThat(old).isEqualTo(now);
    assertThat(now.ropeScaling()).isEqualTo(llama3);
    assertThat(now.ropeTheta()).isEqualTo(5e5);
    assertThat(llama("'rope_scaling':{'type':'llama3'," + l3 + "}").ropeScaling())
        .isEqualTo(new RopeScaling.Llama3(8, 1, 4, 2048));
    assertThat(
            llama(
                    "'original_max_position_embeddings':64,'rope_scaling':{'type':'llama3',"
                        + l3
                        + "}")
                .ropeScaling())
        .isEqualTo(llama3);
    assertThat(llama("'rope_scaling':{'type':'linear','factor':2}").ropeScaling())
        .isEqualTo(new RopeScaling.Linear(2));
    assertThat(llama("'rope_scaling':null,'rope_theta':7").ropeTheta()).isEqualTo(7);
    assertThat(llama("'rope_scaling':{}").ropeScaling()).isEqualTo(new RopeScaling.Default());
  }

  @Test
  void absentAndNullDiffer() {
    assertThat(llama("'eos_token_id':null").eosTokenIds()).isEmpty();
    assertThat(llama("'bos_token_id':null").bosTokenId()).isEmpty();
    assertThat(llama("'eos_token_id':[4,5]").eosTokenIds()).containsExactly(4, 5);
    assertThat(llama("'num_key_value_heads':null").kvHeads()).isEqualTo(32);
    assertThat(llama("'head_dim':null,'hidden_size':256").headDim()).isEqualTo(8);
  }

  @Test
  void mistralWithoutWindowIsLlama() {
    TextConfig c = parse("{'model_type':'mistral','sliding_window':null}").text();
    assertThat(c.kvHeads()).isEqualTo(8);
    assertThat(c.intermediateSize()).isEqualTo(14336);
    assertThat(c.maxPositionEmbeddings()).isEqualTo(131072);
    assertThatThrownBy(() -> parse("{'model_type':'mistral'}"))
        .hasMessageContaining("sliding_window = null (absent) means 4096 for mistral");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{} | model_type = null is not supported; supported: llava, llama, mistral",
        "{'model_type':'qwen2_vl'} | model_type = \"qwen2_vl\" is not supported; supported: llava",
        "{'model_type':7} | model_type = 7; expected a string",
        "[] | expected a JSON object, found [list of 0]",
        "{'model_type':'llama'} {} | not valid JSON",
        "{'model_type':'llama','model_type':'llama'} | not valid JSON: Duplicate",
        "{'model_type':'llama','hidden_size':0} | hidden_size = 0; expected an integer from 1",
        "{'model_type':'llama','hidden_size':4096.0} | hidden_size = 4096.0; expected an integer",
        "{'model_type':'llama','hidden_size':'4096'} | hidden_size = \"4096\"; expected an integer",
        "{'model_type':'llama','hidden_size':99999999999999999999} | hidden_size = 99999999999999999999;",
        "{'model_type':'llama','hidden_size':4097} | hidden_size = 4097; expected a multiple of num_att",
        "{'model_type':'llama','hidden_size':384} | head_dim = null (12): supported are multiples of 8",
        "{'model_type':'llama','head_dim':264} | head_dim = 264 (264): supported are multiples of 8",
        "{'model_type':'llama','num_key_value_heads':5} | num_key_value_heads = 5; expected a divisor",
        "{'model_type':'llama','rms_norm_eps':-1} | rms_norm_eps = -1; expected a number from 0.0 to 1.0",
        "{'model_type':'llama','rms_norm_eps':1e999} | rms_norm_eps = ",
        "{'model_type':'llama','hidden_act':'gelu'} | hidden_act = \"gelu\" is not supported",
        "{'model_type':'llama','sliding_window':4096} | sliding_window = 4096 is not supported",
        "{'model_type':'llama','quantization_config':{'bits':4}} | quantization_config = {object} is not",
        "{'model_type':'llama','partial_rotary_factor':0.5} | partial_rotary_factor = 0.5 is not",
        "{'model_type':'llama','rope_parameters':{'partial_rotary_factor':0.5}} | rope_parameters.partial",
        "{'model_type':'llama','layer_types':['sliding_attention']} | layer_types = [list of 1] is not",
        "{'model_type':'llama','layer_types':'full_attention'} | expected a list of strings",
        "{'model_type':'llama','rope_scaling':{'type':'yarn','factor':2}} | rope_scaling.type = \"yarn\" is",
        "{'model_type':'llama','rope_scaling':{'type':'linear'}} | rope_scaling.factor = null; expected",
        "{'model_type':'llama','rope_scaling':{'type':'linear','factor':0}} | rope_scaling.factor = 0; exp",
        "{'model_type':'llama','rope_scaling':[1]} | rope_scaling = [list of 1]; expected an object",
        "{'model_type':'llama','rope_theta':0} | rope_theta = 0; expected a number",
        "{'model_type':'llama','torch_dtype':'float64'} | torch_dtype = \"float64\" is not supported",
        "{'model_type':'llama','eos_token_id':[]} | eos_token_id = [list of 0]; expected an integer or",
        "{'model_type':'llama','eos_token_id':[2,true]} | eos_token_id[1] = true; expected an integer",
        "{'model_type':'llama','tie_word_embeddings':1} | tie_word_embeddings = 1; expected true or false",
        "{'model_type':'llava'} | image_token_id = null; expected less than vocab_size = 32000",
        "{'model_type':'llava','image_token_index':32000} | image_token_index = 32000; expected less than voc",
        "{'model_type':'llava','text_config':{'model_type':'qwen2'}} | text_config.model_type = \"qwen2\" is",
        "{'model_type':'llava','text_config':{'hidden_size':-1}} | text_config.hidden_size = -1; expected",
        "{'model_type':'llava','vision_config':{'model_type':'siglip_vision_model'}} | vision_config.model",
        "{'model_type':'llava','vision_config':{'image_size':225}} | image_size = 225; expected a multiple",
        "{'model_type':'llava','vision_config':{'num_channels':1}} | num_channels = 1 is not supported",
        "{'model_type':'llava','vision_config':{'hidden_act':'relu'}} | vision_config.hidden_act = \"relu\"",
        "{'model_type':'llava','vision_config':{'num_attention_heads':5}} | hidden_size = null with num",
        "{'model_type':'llava','image_token_id':3,'vision_feature_layer':13} | vision_feature_layer = 13;",
      })
  void refusals(String json, String message) {
    if (json.contains("vision_feature_layer")) {
      json = json.replace("'llava'", "'llava','vision_config':{'num_hidden_layers':12}");
    }
    String text = json;
    assertThatThrownBy(() -> parse(text))
        .isInstanceOf(TopvException.class)
        .message()
        .startsWith("config.json: ")
        .contains(message)
        .hasLineCount(1);
  }

  @Test
  void refusesNesting() {
    assertThatThrownBy(() -> parse("{'a':" + "[".repeat(100_000)))
        .isInstanceOf(TopvException.class)
        .hasMessageContaining("not valid JSON");
  }

  @Test
  void generationConfig() {
    GenerationConfig c =
        GenerationConfig.parse(
            "g.json",
            "{\"eos_token_id\":[1,2],\"pad_token_id\":-1,\"temperature\":0.6,\"do_sample\":true}"
                .getBytes(StandardCharsets.UTF_8));
    assertThat(c.eosTokenIds()).containsExactly(1, 2);
    assertThat(c.padTokenId()).isEmpty();
    assertThat(c.temperature()).hasValue(0.6);
    assertThat(c.topK()).isEmpty();
    assertThat(c.doSample()).isTrue();
    assertThatThrownBy(
            () ->
                GenerationConfig.parse(
                    "g.json", "{\"top_p\":1.5}".getBytes(StandardCharsets.UTF_8)))
        .hasMessage("g.json: top_p = 1.5; expected a number from 0.0 to 1.0");
  }
}
