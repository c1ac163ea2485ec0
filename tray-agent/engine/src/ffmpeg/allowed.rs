//! What ffmpeg may use to read a source: lists of names, separated by commas. Names that a build does not have do no harm.

/// Demuxers that a source may need. None of them opens other files or addresses, as playlists (`hls`, `dash`, `concat`)
/// do; image formats are left out because a picture is no film.
pub const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,vob,avi,flv,live_flv,asf,wtv,ogg,\
                           mxf,gxf,dv,rm,nut,ivf,h264,hevc,m4v,av1,obu,yuv4mpegpipe,mp3,wav,w64,aiff,flac,aac,ac3,eac3,\
                           dts,truehd,amr,au,caf,tta,wv,ape";

/// Decoders of what films are made of: what cameras, phones, editors and recorders of screens write and wrote, the pictures
/// that covers are, and subtitles, which ffprobe opens too. Left out are those of games and of single programs, which get the
/// least care, and all that hand the work to drivers of the machine.
pub const DECODERS: &str = "\
    h264,hevc,vvc,av1,libdav1d,libaom-av1,vp8,vp9,libvpx,libvpx-vp9,vp3,vp4,vp5,vp6,vp6a,vp6f,theora,libtheora,\
    mpeg1video,mpeg2video,mpegvideo,mpeg4,msmpeg4,msmpeg4v1,msmpeg4v2,h261,h263,h263i,h263p,flv,wmv1,wmv2,wmv3,vc1,cavs,dirac,\
    rv10,rv20,rv30,rv40,svq1,svq3,cinepak,indeo2,indeo3,indeo4,indeo5,msvideo1,qtrle,rpza,smc,8bps,\
    dvvideo,dnxhd,prores,cfhd,apv,aic,speedhq,hap,hqx,hq_hqa,ffv1,ffvhuff,huffyuv,utvideo,magicyuv,lagarith,fraps,\
    mjpeg,mjpegb,jpeg2000,png,apng,gif,bmp,tiff,webp,webp_anim,\
    rawvideo,v210,v210x,v308,v408,v410,r10k,r210,y41p,yuv4,uyvy,\
    camtasia,tscc,tscc2,zmbv,flashsv,flashsv2,mss1,mss2,mts2,msa1,g2m,vmnc,screenpresso,cscd,camstudio,qdraw,\
    aac,aac_fixed,aac_latm,ac3,ac3_fixed,eac3,ac4,mp1,mp1float,mp2,mp2float,mp3,mp3float,mp3adu,mp3adufloat,mp3on4,mp3on4float,\
    opus,libopus,vorbis,libvorbis,speex,libspeex,flac,alac,als,ape,tta,wavpack,tak,shorten,dca,truehd,mlp,dolby_e,s302m,\
    wmav1,wmav2,wmapro,wmavoice,wmalossless,cook,sipr,ralf,real_144,real_288,ra_144,ra_288,atrac1,atrac3,atrac3plus,\
    amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,gsm,gsm_ms,g722,g723_1,g726,g726le,g729,ilbc,qcelp,evrc,nellymoser,\
    qdm2,qdmc,mace3,mace6,dvaudio,truespeech,\
    adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_ima_amv,adpcm_swf,adpcm_yamaha,adpcm_ct,adpcm_g722,adpcm_g726,\
    pcm_alaw,pcm_mulaw,pcm_bluray,pcm_dvd,pcm_lxf,pcm_f16le,pcm_f24le,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,\
    pcm_s16be,pcm_s16be_planar,pcm_s16le,pcm_s16le_planar,pcm_s24be,pcm_s24daud,pcm_s24le,pcm_s24le_planar,\
    pcm_s32be,pcm_s32le,pcm_s32le_planar,pcm_s64be,pcm_s64le,pcm_s8,pcm_s8_planar,\
    pcm_u16be,pcm_u16le,pcm_u24be,pcm_u24le,pcm_u32be,pcm_u32le,pcm_u8,\
    mov_text,subrip,srt,ass,ssa,text,webvtt,dvbsub,dvdsub,pgssub,xsub,cc_dec,libzvbi_teletextdec,libaribb24,libaribcaption,\
    jacosub,microdvd,mpl2,pjs,realtext,sami,stl,subviewer,subviewer1,vplayer";

/// More streams than any film has: a recording of a whole satellite channel has some dozens.
pub const MOST_STREAMS: u32 = 256;
