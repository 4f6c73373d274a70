package meshapi

import (
	"context"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
)

// codec is the service Codec: the text forms of paths and dtabs. Nothing stands for
// nothing, in both directions.
type codec struct {
	meshpb.UnimplementedCodecServer
}

// ReadDtab implements meshpb.CodecServer.
func (codec) ReadDtab(_ context.Context, req *meshpb.ReadDtabReq) (*meshpb.ReadDtabRsp, error) {
	d, err := dtab.Parse(req.GetText())
	if err != nil {
		return nil, unreadable(err)
	}
	return &meshpb.ReadDtabRsp{Dtab: meshpb.NewDtab(d)}, nil
}

// ShowDtab implements meshpb.CodecServer.
func (codec) ShowDtab(_ context.Context, req *meshpb.ShowDtabReq) (*meshpb.ShowDtabRsp, error) {
	d, err := rules(req.GetDtab())
	if err != nil {
		return nil, err
	}
	return &meshpb.ShowDtabRsp{Text: d.String()}, nil
}

// ReadPath implements meshpb.CodecServer.
func (codec) ReadPath(_ context.Context, req *meshpb.ReadPathReq) (*meshpb.ReadPathRsp, error) {
	if req.GetText() == "" {
		return &meshpb.ReadPathRsp{Path: &meshpb.Path{}}, nil
	}
	p, err := dtab.ParsePath(req.GetText())
	if err != nil {
		return nil, unreadable(err)
	}
	return &meshpb.ReadPathRsp{Path: meshpb.NewPath(p)}, nil
}

// ShowPath implements meshpb.CodecServer.
func (codec) ShowPath(_ context.Context, req *meshpb.ShowPathReq) (*meshpb.ShowPathRsp, error) {
	if req.GetPath() == nil {
		return &meshpb.ShowPathRsp{}, nil
	}
	p, err := req.GetPath().Value()
	if err != nil {
		return nil, invalid("path", err)
	}
	return &meshpb.ShowPathRsp{Text: p.String()}, nil
}
